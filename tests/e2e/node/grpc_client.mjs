// gRPC clients of @grpc/grpc-js. Options: address, ca (PEM) for TLS, limit (seconds for each call), what. Prints what came; `what` names the
// part that is played.
import {setTimeout as pause} from "node:timers/promises";
import grpc from "@grpc/grpc-js";
import {cart, health, SERVING, unlimited} from "./grpc_service.mjs";

const {address, ca, limit, what, ...options} = JSON.parse(process.argv[2]);
const credentials = ca === undefined ? grpc.credentials.createInsecure() : grpc.credentials.createSsl(Buffer.from(ca));
const connect = (service) =>
  new (grpc.makeGenericClientConstructor(service, "Client"))(address, credentials, {...unlimited, "grpc.ssl_target_name_override": "shop.example.test"});
const client = connect(cart);
const soon = () => ({deadline: Date.now() + limit * 1000});

const bytes = (value) => (Buffer.isBuffer(value) ? value : Buffer.from(String(value)));
// Of a call without a stream: {code, details, metadata, message, call}.
function unary(method, message = "", more = soon(), of = client) {
  let call;
  const done = new Promise((resolve) => {
    call = of[method](bytes(message), more, (error, answer) =>
      resolve({code: error?.code ?? grpc.status.OK, details: error?.details ?? "", metadata: error?.metadata?.getMap() ?? {}, message: answer})
    );
  });
  return {call, done};
}
const ask = async (...call) => (await unary(...call).done).message?.toString();

// Of a call whose answers are a stream: what came, and how it ended.
function answers(call) {
  const seen = {messages: [], first: {}, status: null};
  let notify = () => {};
  call.on("metadata", (fields) => (seen.first = fields.getMap()));
  call.on("data", (message) => (seen.messages.push(message), notify()));
  call.on("error", () => {}); // it is in the status
  const done = new Promise((resolve) => call.on("status", (status) => ((seen.status = status), notify(), resolve(seen))));
  // Until so many messages have come, or the end.
  const came = async (count) => {
    while (seen.messages.length < count && seen.status === null) await new Promise((resolve) => (notify = resolve));
  };
  return {seen, done, came};
}

async function cancelledAtServer(count) {
  const end = Date.now() + limit * 1000;
  while (Number(await ask("Cancelled")) < count) {
    if (Date.now() > end) return false;
    await pause(20);
  }
  return true;
}

const parts = {
  async kinds() {
    const out = {echo: await ask("Echo", "hello")};
    const counted = await answers(client.Count(bytes(100), soon())).done;
    out.count = counted.messages.map(Number);
    out.first = counted.first["x-first"];
    out.last = counted.status.metadata.getMap()["x-last"];
    out.code = counted.status.code;
    out.sum = await new Promise((resolve, reject) => {
      const call = client.Sum(soon(), (error, answer) => (error ? reject(error) : resolve(String(answer))));
      for (let index = 0; index < 100; ++index) call.write(Buffer.alloc(1000, "x"));
      call.end();
    });
    const talk = client.Chat(soon());
    const {seen, done, came} = answers(talk);
    for (const word of ["one", "two", "three"]) {
      talk.write(bytes(word));
      await came(seen.messages.length + 1); // each is answered before the next is said
    }
    out.chat = seen.messages.map(String);
    talk.end();
    out.chatCode = (await done).status.code;
    return out;
  },
  async statuses() {
    const out = [];
    for (let code = 1; code <= 16; ++code) {
      const {message: _message, ...seen} = await unary("Fail", code).done;
      out.push(seen);
    }
    const {code, details} = await unary("Missing").done;
    return {statuses: out, missing: {code, details}};
  },
  // Whole messages of so many bytes each way, alone and in streams.
  async large() {
    const message = Buffer.alloc(options.bytes, "weir ");
    const echo = await unary("Echo", message).done;
    const talk = client.Chat(soon());
    const {seen, done, came} = answers(talk);
    for (let index = 0; index < options.count; ++index) {
      talk.write(message);
      await came(index + 1);
    }
    talk.end();
    await done;
    const whole = Buffer.concat([bytes("re: "), message]);
    return {echo: echo.message?.equals(message), stream: seen.messages.map((each) => each.equals(whole)), code: seen.status.code};
  },
  async deadlines() {
    const left = Number(await ask("Left"));
    const {code} = await unary("Hang", "", {deadline: Date.now() + 500}).done;
    return {left, code, cancelled: await cancelledAtServer(1), after: await ask("Echo", "on")};
  },
  // A call that waits, a stream of answers and a talk are given up.
  async cancel() {
    const waiting = unary("Hang");
    const pouring = client.Count(bytes(1e9), soon());
    const poured = answers(pouring);
    const talking = client.Chat(soon());
    const talk = answers(talking);
    talking.write(bytes("hello"));
    await Promise.all([poured.came(100), talk.came(1)]);
    waiting.call.cancel();
    pouring.cancel();
    talking.cancel();
    const codes = [(await waiting.done).code, (await poured.done).status.code, (await talk.done).status.code];
    return {codes, cancelled: await cancelledAtServer(3), after: await ask("Echo", "on")};
  },
  // More calls at once than a connection has streams.
  async crowd() {
    const all = await Promise.all(Array.from({length: options.count}, (_, index) => ask("Echo", index)));
    return {same: all.every((answer, index) => answer === String(index))};
  },
  async appliance() {
    const of = async (method) => {
      const {code, details} = await unary(method).done;
      return {code, details};
    };
    return {unreachable: await of("Elsewhere"), http1: await of("Plain")};
  },
  async setHealth() {
    return {code: await ask("SetHealth", options.code)};
  },
  async health() {
    const {message} = await unary("Check", "", soon(), connect(health)).done;
    return {serving: message?.equals(SERVING)};
  },
};

console.log(JSON.stringify(await parts[what]()));
process.exit(0);
