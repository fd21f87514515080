// A WebSocket server of ws: sends every message back in kind; text that begins with a word of `commands` is obeyed. Prints its
// port, and ends with its standard input.
import http from "node:http";
import {WebSocketServer} from "ws";

const options = JSON.parse(process.argv[2]);
const server = http.createServer((_request, response) => response.end("healthy"));
const sockets = new WebSocketServer({server, maxPayload: 64 << 20, perMessageDeflate: options.deflate ?? false});
const commands = {
  close: (socket, code) => socket.close(Number(code), "as asked"),
  // Sends so many messages of 64 KiB, whatever the client does meanwhile.
  pour: (socket, count) => {
    for (let index = 0; index < Number(count); ++index) socket.send(Buffer.alloc(65536, index));
  },
};
sockets.on("connection", (socket) => {
  socket.on("message", (data, binary) => {
    const [word, rest] = binary ? [] : String(data.subarray(0, 64)).split(" ");
    if (word in commands) commands[word](socket, rest);
    else socket.send(data, {binary});
  });
  socket.on("error", () => {});
});
process.stdin.resume().on("end", () => process.exit(0));
server.listen({host: "127.0.0.1", port: 0, backlog: 4096}, () => console.log(JSON.stringify({port: server.address().port})));
