// An OpenID Connect provider (npm oidc-provider) over HTTPS, with one client and the library's own pages for login and consent: any
// login with any password. Options: certificate and key (paths), redirects (redirect URIs of the client), accessTokenSeconds, refresh
// (whether refresh tokens are given), pkce (whether it insists), fill (bytes of a claim). Prints its port, and ends with its standard input.
import fs from "node:fs";
import https from "node:https";
import Provider from "oidc-provider";

const {certificate, key, redirects, accessTokenSeconds, refresh, pkce, fill} = JSON.parse(process.argv[2]);
console.warn = () => {}; // that it runs with development keys
console.info = console.log.bind(console, "");
const print = console.log;
console.log = () => {};
const server = https.createServer({cert: fs.readFileSync(certificate), key: fs.readFileSync(key)});
process.stdin.resume().on("end", () => process.exit(0));
server.listen({host: "127.0.0.1", port: 0}, () => {
  const {port} = server.address();
  const provider = new Provider(`https://127.0.0.1:${port}`, {
    clients: [
      {
        client_id: "weir",
        client_secret: "a secret & more",
        redirect_uris: redirects,
        grant_types: refresh ? ["authorization_code", "refresh_token"] : ["authorization_code"],
        response_types: ["code"],
      },
    ],
    claims: {openid: ["sub"], email: ["email"], profile: ["fill"]},
    cookies: {keys: ["of the tests"]},
    findAccount: (_context, id) => ({
      accountId: id,
      claims: async () => ({sub: id, email: `${id}@example.test`, fill: "x".repeat(fill ?? 0)}),
    }),
    issueRefreshToken: async () => refresh ?? false,
    pkce: {required: () => pkce ?? false},
    ttl: {AccessToken: accessTokenSeconds ?? 3600, AuthorizationCode: 60, Grant: 3600, IdToken: 3600, Interaction: 600, RefreshToken: 3600, Session: 3600},
  });
  server.on("request", provider.callback());
  print(JSON.stringify({port}));
});
