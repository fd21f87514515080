// WebSocket clients of ws. Options: url, ca, what. Prints what came; `what` names the part that is played.
import {once} from "node:events";
import WebSocket from "ws";

const {url, ca, what, ...options} = JSON.parse(process.argv[2]);

async function open(more = {}) {
  const socket = new WebSocket(url, {ca, checkServerIdentity: () => undefined, maxPayload: 64 << 20, perMessageDeflate: false, ...more});
  socket.on("error", () => {});
  const [event, code] = await Promise.race([once(socket, "open").then(() => ["open"]), once(socket, "close").then(([code]) => ["close", code])]);
  if (event === "close") throw new Error(`not opened: ${code}`);
  return socket;
}

const next = async (socket) => {
  const [data, binary] = await once(socket, "message");
  return {data, binary};
};

async function closed(socket) {
  const [code, reason] = await once(socket, "close");
  return {code, reason: String(reason)};
}

const parts = {
  async messages() {
    const socket = await open({perMessageDeflate: options.deflate ?? false});
    const seen = [];
    for (const message of ["hello", "", "\u00fc".repeat(70000), Buffer.alloc(80000, 0xff), Buffer.alloc(options.bytes, "weir ")]) {
      const [answer] = await Promise.all([next(socket), socket.send(message)]);
      seen.push(answer.binary === (typeof message !== "string") && answer.data.equals(Buffer.from(message)));
    }
    // Fragments, with a ping between them.
    const whole = next(socket);
    socket.send("a", {fin: false});
    socket.ping("still there?");
    socket.send("b".repeat(100000), {fin: false});
    socket.send("c", {fin: true});
    const [{data}, [pong]] = await Promise.all([whole, once(socket, "pong")]);
    seen.push(String(data) === `a${"b".repeat(100000)}c`, String(pong) === "still there?");
    const end = closed(socket);
    socket.send("close 4321");
    return {seen, end: await end};
  },
  // The client's own end, with each code.
  async codes() {
    const ends = [];
    for (const code of options.codes) {
      const socket = await open();
      const end = closed(socket);
      socket.close(code, `code ${code}`);
      ends.push(await end);
    }
    return ends;
  },
  // The client ends its direction; what the server still sends arrives.
  async halfClose() {
    const socket = await open();
    let bytes = 0;
    socket.on("message", (data) => (bytes += data.length));
    const end = closed(socket);
    socket.send(`pour ${options.count}`, () => socket._socket.end());
    return {end: await end, bytes};
  },
  // So many at once: each has spoken, then all are open, then each speaks again.
  async crowd() {
    const sockets = [];
    for (let index = 0; index < options.count; index += 100) {
      sockets.push(...(await Promise.all(Array.from({length: Math.min(100, options.count - index)}, () => open()))));
    }
    const speak = (socket, text) => Promise.all([next(socket), socket.send(text)]).then(([answer]) => String(answer.data) === text);
    const first = await Promise.all(sockets.map((socket, index) => speak(socket, `first of ${index}`)));
    const stillOpen = sockets.filter((socket) => socket.readyState === WebSocket.OPEN).length;
    const second = await Promise.all(sockets.map((socket, index) => speak(socket, `second of ${index}`)));
    const ends = await Promise.all(sockets.map((socket) => (socket.close(1000), closed(socket))));
    return {open: stillOpen, spoken: [...first, ...second].filter(Boolean).length, codes: [...new Set(ends.map((end) => end.code))]};
  },
};

console.log(JSON.stringify(await parts[what]()));
process.exit(0);
