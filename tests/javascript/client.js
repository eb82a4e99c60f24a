// Drives the five calls of a herdlink agent from the .proto files alone: node client.js TARGET PROTO_DIR INPUT
const path = require("node:path");
const grpc = require("@grpc/grpc-js");
const loader = require("@grpc/proto-loader");

const [target, protoDir, input] = process.argv.slice(2);
const definition = loader.loadSync(path.join("herdlink", "v1", "edge.proto"), {
  includeDirs: [protoDir],
  keepCase: true,
  enums: String,
  defaults: true,
});
const { EdgeService } = grpc.loadPackageDefinition(definition).herdlink.v1;
const edge = new EdgeService(target, grpc.credentials.createInsecure());

const call = (method, request) =>
  new Promise((resolve, reject) =>
    edge[method](request, { deadline: Date.now() + 120000 }, (error, answer) => (error ? reject(error) : resolve(answer)))
  );

async function main() {
  await call("SetInput", { uri: input });
  await call("SetOutput", { uri: "javascript" });
  const answers = {
    input: (await call("GetInput", {})).uri,
    output: (await call("GetOutput", {})).uri,
    job: (await call("Compute", { wait: true })).job,
  };
  try {
    await call("GetJob", { job_id: "7" });
  } catch (error) {
    answers.error = { code: grpc.status[error.code], message: error.details };
  }
  console.log(JSON.stringify(answers));
}

main().then(() => process.exit(0), (error) => {
  console.error(error);
  process.exit(1);
});
