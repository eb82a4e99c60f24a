// Let a herdlink node analyse a video and bring the results here, with nothing but the .proto files.
//
//   npm install
//   node analyze.js 127.0.0.1:50051 /srv/video/pen3.mp4 results     # INPUT lies on the node
//   node analyze.js 127.0.0.1:50051 --job 1f0c2a9b-7 results        # only the results; goes on where it stopped
//
// HERDLINK_PROTO names the folder with herdlink/v1/*.proto where it is not the one two levels above.
const crypto = require("node:crypto");
const fs = require("node:fs");
const path = require("node:path");
const grpc = require("@grpc/grpc-js");
const loader = require("@grpc/proto-loader");

const definition = loader.loadSync("herdlink/v1/edge.proto", {
  includeDirs: [process.env.HERDLINK_PROTO || path.join(__dirname, "..", "..")],
  keepCase: true,
  enums: String,
  defaults: true,
});
const { EdgeService } = grpc.loadPackageDefinition(definition).herdlink.v1;
const BROKEN = [grpc.status.UNAVAILABLE, grpc.status.CANCELLED];
let edge;

const call = (method, request) =>
  new Promise((resolve, reject) =>
    edge[method](request, { deadline: Date.now() + 10000 }, (error, answer) => (error ? reject(error) : resolve(answer)))
  );

// Starts a job on the node and returns its id.
async function compute(uri) {
  await call("SetInput", { uri });
  await call("SetOutput", { uri: "peer" });
  // With a request_id the call can be sent again after a lost answer: it starts no second job.
  return (await call("Compute", { request_id: crypto.randomUUID() })).job.job_id;
}

// Shows the progress and returns the ended job.
async function watch(jobId) {
  let job;
  for await (const answer of edge.WatchJob({ job_id: jobId })) {
    job = answer.job;
    const state = job.state.replace("JOB_STATE_", "");
    console.error(`${state}: ${job.frames} of ${job.total_frames || "?"} frames, ${job.fps.toFixed(1)}/s`);
  }
  return job;
}

// Brings one file into the folder; a part that is there already is not read again.
async function readResult(jobId, file, folder) {
  const whole = path.join(folder, path.basename(file.name)); // names from the network never leave the folder
  const part = `${whole}.part`;
  fs.closeSync(fs.openSync(part, "a"));
  for (let size; (size = fs.statSync(part).size) < file.bytes; ) {
    try {
      for await (const piece of edge.ReadResult({ job_id: jobId, name: file.name, offset: size })) {
        fs.appendFileSync(part, piece.data);
      }
    } catch (error) {
      if (!BROKEN.includes(error.code)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 1000)); // go on from where it broke
    }
  }
  const hash = crypto.createHash("sha256");
  for await (const block of fs.createReadStream(part)) hash.update(block);
  if (hash.digest("hex") !== file.sha256) {
    fs.unlinkSync(part);
    throw new Error(`${file.name} is not what the job left; run it again`);
  }
  fs.renameSync(part, whole);
  return whole;
}

async function main(target, input, ...rest) {
  const folder = rest.pop();
  if (!folder || (input === "--job") !== (rest.length === 1)) {
    throw new Error("node analyze.js TARGET INPUT FOLDER, or node analyze.js TARGET --job JOB FOLDER");
  }
  fs.mkdirSync(folder, { recursive: true });
  edge = new EdgeService(target, grpc.credentials.createInsecure());
  const job = await watch(input === "--job" ? rest[0] : await compute(input));
  for (const file of job.results) console.log(await readResult(job.job_id, file, folder));
  if (job.error) throw new Error(`the job failed: ${job.error.message}`);
}

main(...process.argv.slice(2)).then(() => process.exit(0), (error) => {
  console.error(error.code === undefined ? error.message : `${grpc.status[error.code]}: ${error.details}`);
  process.exit(1);
});
