// A Node-RED function node: every summary of each stream, once and in order, whatever the broker loses.
//
// In: the topics herdlink/+/stream/+/summaries, .../summary and herdlink/client/node-red, as parsed JSON objects.
// Output 1: records in order; msg.payload is a record, or {gap: {first, last}} for what the node itself no longer keeps.
// Output 2: to an "mqtt out" node without a topic: questions for what is missing.
const ASK_AGAIN_MS = 5000;
const now = Date.now();
const records = [];
const questions = [];

function place(key) {
  return context.get(key) || { journal: "", sequence: 0, asked: 0 };
}

function ask(key, known) {
  const [base, node, stream] = key.split("|");
  known.asked = now;
  questions.push({
    topic: `${base}/${node}/cmd/ListRecords`,
    qos: 1,
    payload: JSON.stringify({ stream, afterSequence: known.sequence, replyTo: `${base}/client/node-red`, id: key }),
  });
}

function keep(key, known, sequence, payload) {
  const [, node, stream] = key.split("|");
  known.sequence = sequence;
  records.push({ topic: `${node}/${stream}`, payload });
}

// A message of a stream: the next one, a repeat, or one that shows that some are missing.
function heard(key, record) {
  if (!record || record.gap || !record.sequence) return; // the list tells a gap in its place
  const known = place(key);
  const other = record.journal !== known.journal;
  if (!other && record.sequence === known.sequence + 1) keep(key, known, record.sequence, record);
  else if ((other || record.sequence > known.sequence) && now > known.asked + ASK_AGAIN_MS) ask(key, known);
  context.set(key, known);
}

function listed(key, answer) {
  const known = place(key);
  known.asked = 0;
  if (answer.journal !== known.journal) {
    known.journal = answer.journal;
    known.sequence = 0;
    ask(key, known);
  } else {
    for (const one of answer.records) {
      const sequence = one.gap ? one.gap.last : one.summary.sequence;
      if (sequence > known.sequence) keep(key, known, sequence, one.gap ? one : one.summary);
    }
    if (answer.newest > known.sequence) ask(key, known);
  }
  context.set(key, known);
}

const stream = /^(.*)\/([^/]+)\/stream\/([^/]+)\/(summaries|summary)$/.exec(msg.topic);
if (stream) heard(stream.slice(1, 4).join("|"), msg.payload);
else if (msg.payload && msg.payload.ok && msg.payload.data && msg.payload.id) listed(msg.payload.id, msg.payload.data);
return [records, questions];
