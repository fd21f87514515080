// Requests by Node's https, one after the other, each over a connection of its own; the agent keeps sessions as it does by itself.
// Options: port, requests: [{host, path}], and those of tls.connect (ca, minVersion, maxVersion ...). Prints for each what came.
import https from "node:https";

const {port, requests, ...tls} = JSON.parse(process.argv[2]);
const agent = new https.Agent({keepAlive: false, ...tls});

function ask({host, path}) {
  return new Promise((resolve, reject) => {
    const request = https.get({agent, host: "127.0.0.1", port, path, servername: host, headers: {host}}, (response) => {
      const {socket} = response;
      const seen = {
        status: response.statusCode,
        version: socket.getProtocol(),
        suite: socket.getCipher().standardName,
        resumed: socket.isSessionReused(),
        subject: socket.getPeerCertificate().subject?.CN ?? null,
        alpn: socket.alpnProtocol,
      };
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (piece) => (body += piece));
      response.on("end", () => resolve({...seen, body}));
      response.on("error", reject);
    });
    request.on("error", reject);
  });
}

const answers = [];
for (const request of requests) answers.push(await ask(request).catch((error) => ({error: error.code ?? String(error)})));
console.log(JSON.stringify(answers));
