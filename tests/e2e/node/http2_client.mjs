// A connection of Node's http2. Options: port, host, ca, what. Prints what came; `what` names the part that is played.
import http2 from "node:http2";
import {once} from "node:events";

const {port, host, ca, what, ...options} = JSON.parse(process.argv[2]);
const session = http2.connect(`https://${host}:${port}`, {ca, servername: host, lookup: (_name, _options, done) => done(null, [{address: "127.0.0.1", family: 4}])});
const seen = {alpn: null, goaways: []};
session.on("goaway", (code, last) => seen.goaways.push({code, last}));
await Promise.all([once(session, "connect"), once(session, "remoteSettings")]);
seen.alpn = session.alpnProtocol;
seen.streams = session.remoteSettings.maxConcurrentStreams;

// Sends a request, and gives {status, fields, body, trailers, interim, code}: the code of the reset, where there was one.
function ask(fields, body, trailers) {
  const stream = session.request({":method": body === undefined ? "GET" : "POST", ...fields}, {endStream: body === undefined, waitForTrailers: trailers !== undefined});
  const answer = {stream, interim: []};
  const pieces = [];
  stream.on("headers", (head) => answer.interim.push(head[":status"]));
  stream.on("response", (head) => ((answer.status = head[":status"]), (answer.fields = head)));
  stream.on("trailers", (head) => (answer.trailers = {...head}));
  stream.on("data", (piece) => pieces.push(piece));
  stream.on("error", () => {}); // its code is in rstCode
  if (trailers !== undefined) stream.on("wantTrailers", () => stream.sendTrailers(trailers));
  if (body !== undefined) stream.end(body);
  const done = new Promise((resolve) =>
    stream.on("close", () => resolve({status: answer.status, fields: answer.fields, trailers: answer.trailers, interim: answer.interim, code: stream.rstCode, body: Buffer.concat(pieces)}))
  );
  return {stream, done};
}

const parts = {
  // As many requests at once as are asked for: more than the connection's limit wait for their turn.
  async crowd() {
    const answers = await Promise.all(Array.from({length: options.count}, (_, index) => ask({":path": `/asset/${index}`}).done));
    seen.statuses = answers.map((answer) => answer.status);
    seen.paths = answers.map((answer) => JSON.parse(answer.body).path);
  },
  // Content both ways, larger than any window.
  async echo() {
    const body = Buffer.alloc(options.bytes, "weir ");
    const answers = await Promise.all([1, 2, 3].map(() => ask({":path": "/echo"}, body).done));
    seen.same = answers.map((answer) => answer.status === 200 && answer.body.equals(body));
  },
  async trailers() {
    const answer = await ask({":path": "/trailers", te: "trailers", trailer: "x-sum"}, "content", {"x-sum": "7"}).done;
    seen.answer = {...answer, body: String(answer.body)};
  },
  // One stream is given up, the others go on.
  async cancel() {
    const slow = ask({":path": "/slow"});
    const first = await ask({":path": "/a"}).done;
    slow.stream.close(http2.constants.NGHTTP2_CANCEL);
    await slow.done;
    const second = await ask({":path": "/b"}).done;
    seen.statuses = [first.status, second.status];
  },
  // Requests until the server says that it goes; the one that was under way is answered.
  async drain() {
    const slow = ask({":path": "/slow"});
    const last = new Promise((resolve) => session.on("goaway", (code, id) => id < 2 ** 31 - 1 && resolve(id)));
    seen.last = await last;
    const answer = await slow.done;
    seen.status = answer.status;
    seen.code = answer.code;
  },
};

await parts[what]();
session.close();
console.log(JSON.stringify(seen));
