// A gRPC server of @grpc/grpc-js. Options: certificate and key (PEM) for TLS. Prints its port, and ends with its standard input.
import grpc from "@grpc/grpc-js";
import {albHealth, cart, health, SERVING, unlimited} from "./grpc_service.mjs";

const options = JSON.parse(process.argv[2]);
let cancelled = 0;
let answer = grpc.status.OK;

const metadata = (name, value) => {
  const fields = new grpc.Metadata();
  fields.set(name, value);
  return fields;
};
const text = (call) => String(call.request);
const check = (_call, done) => (answer === grpc.status.OK ? done(null, SERVING) : done({code: answer, details: "so it is"}));

const server = new grpc.Server(unlimited);
// All of the definition but what nobody serves.
const {Missing: _missing, Elsewhere: _elsewhere, Plain: _plain, ...served} = cart;
server.addService(served, {
  Echo: (call, done) => done(null, call.request),
  Fail: (call, done) => done({code: Number(text(call)), details: "as told: 100 % \u00fcber", metadata: metadata("x-why", "told")}),
  // Messages until so many were sent, or the client is gone.
  async Count(call) {
    let goOn = () => {};
    call.on("drain", () => goOn());
    call.on("cancelled", () => (++cancelled, goOn()));
    call.sendMetadata(metadata("x-first", "1"));
    for (let index = 0; index < Number(text(call)) && !call.cancelled; ++index) {
      if (!call.write(Buffer.from(String(index)))) await new Promise((resolve) => (goOn = resolve));
    }
    call.end(metadata("x-last", "1"));
  },
  Sum(call, done) {
    let bytes = 0;
    call.on("data", (message) => (bytes += message.length));
    call.on("end", () => done(null, Buffer.from(String(bytes))));
  },
  Chat(call) {
    call.on("data", (message) => call.write(Buffer.concat([Buffer.from("re: "), message])));
    call.on("end", () => call.end());
    call.on("cancelled", () => ++cancelled);
  },
  Hang: (call) => call.on("cancelled", () => ++cancelled),
  Left: (call, done) => done(null, Buffer.from(String(call.getDeadline() - Date.now()))),
  Cancelled: (_call, done) => done(null, Buffer.from(String(cancelled))),
  SetHealth: (call, done) => ((answer = Number(text(call))), done(null, call.request)),
});
server.addService(albHealth, {Healthcheck: check});
server.addService(health, {Check: check});

const credentials =
  options.key === undefined
    ? grpc.ServerCredentials.createInsecure()
    : grpc.ServerCredentials.createSsl(null, [{private_key: Buffer.from(options.key), cert_chain: Buffer.from(options.certificate)}]);
process.stdin.resume().on("end", () => process.exit(0));
server.bindAsync("127.0.0.1:0", credentials, (error, port) => {
  if (error) throw error;
  console.log(JSON.stringify({port}));
});
