// Random and mutated tokens, and what npm's jose says to each, restricted as weir is: {keys, tokens: [{token, how, ok, why}]}.
// The restrictions that jose does not have of itself are in `restrict`.
import { createLocalJWKSet, exportJWK, generateKeyPair, jwtVerify } from 'jose';
import { createSign } from 'node:crypto';

const options = JSON.parse(process.argv[2]);

// mulberry32
let state = options.seed >>> 0;
function random() {
  state = (state + 0x6d2b79f5) >>> 0;
  let t = state;
  t = Math.imul(t ^ (t >>> 15), t | 1);
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
}
const below = (n) => Math.floor(random() * n);
const pick = (list) => list[below(list.length)];

const encode = (value) => Buffer.from(value).toString('base64url');
const now = Math.floor(Date.now() / 1000);
const far = 100000;

async function pair(alg, more = {}) {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true, ...more });
  return { publicJwk: await exportJWK(publicKey), privateKey };
}
const rsa = [await pair('RS256'), await pair('RS256'), await pair('RS256', { modulusLength: 3072 })];
const stranger = await pair('RS256');
const curve = await pair('ES256');
const keys = [
  { ...rsa[0].publicJwk, kid: 'a', use: 'sig', alg: 'RS256' },
  { ...rsa[1].publicJwk, kid: 'b' },
  { ...rsa[2].publicJwk, kid: 'c', key_ops: ['verify'] },
  { ...curve.publicJwk, kid: 'curve', use: 'sig', alg: 'ES256' },
  { ...stranger.publicJwk, kid: 'encrypting', use: 'enc' },
  { ...stranger.publicJwk, kid: 'other-algorithm', alg: 'RS512' },
];
const { KeyObject } = await import('node:crypto');
const signing = { a: rsa[0], b: rsa[1], c: rsa[2], curve, encrypting: stranger, 'other-algorithm': stranger };

function sign(kid, header, payload, hash = 'sha256') {
  const text = `${encode(header)}.${encode(payload)}`;
  const owner = signing[kid] ?? stranger;
  const signature = createSign(hash).update(text).sign({ key: KeyObject.from(owner.privateKey), dsaEncoding: 'ieee-p1363' });
  return `${text}.${signature.toString('base64url')}`;
}

// ---- what is made

const oddValues = ['"x"', '""', '0', '1', '-1', '1.5', '1e3', 'null', 'true', '[]', '{}', '["RS256"]', '"\\u0000"', '"é"', '1e400', '18446744073709551616',
                   `${now - 5000}`, `${now + far}`, `${now + far}.25`, '"none"', '"HS256"', '"RS256"', '"RS384"', '"PS256"', '"ES256"'];

function header(kid) {
  const members = [['alg', '"RS256"'], ['typ', '"JWT"'], ['kid', JSON.stringify(kid)]];
  return members;
}
function payload() {
  const members = [['iss', JSON.stringify(options.issuer)], ['exp', `${now + far + below(1000)}`], ['sub', JSON.stringify(`user${below(1000)}`)]];
  if (below(2)) members.push(['iat', `${now - far - below(1000)}`]);
  if (below(2)) members.push(['nbf', `${now - far - below(1000)}`]);
  if (below(4) === 0) members.push(['aud', '["shop","mail"]']);
  return members;
}
const text = (members) => `{${members.map(([name, value]) => `${JSON.stringify(name)}:${value}`).join(',')}}`;

// Each changes what is signed: the signature is good.
const signedChanges = {
  nothing: () => {},
  claimLost: (h, p) => p.splice(below(p.length), 1),
  claimOdd: (h, p) => { pick(p)[1] = pick(oddValues); },
  claimTwice: (h, p) => p.splice(below(p.length + 1), 0, [pick(['exp', 'iss', 'nbf', 'iat']), pick(oddValues)]),
  expired: (h, p) => p.push(['exp', `${now - 1000 - below(far)}`]),
  early: (h, p) => p.push(['nbf', `${now + 1000 + below(far)}`]),
  issuedLater: (h, p) => p.push(['iat', `${now + 1000 + below(far)}`]),
  fractions: (h, p) => p.push(['exp', `${now + far}.${below(1000)}`], ['nbf', `${now - far}.5e0`]),
  otherIssuer: (h, p) => p.push(['iss', JSON.stringify(pick([options.issuer + '/', options.issuer.toUpperCase(), '', ' ' + options.issuer]))]),
  headerLost: (h) => h.splice(below(h.length), 1),
  headerOdd: (h) => { pick(h)[1] = pick(oddValues); },
  headerMore: (h) => h.push([pick(['x', 'jku', 'jwk', 'x5u', 'cty', 'zip', 'b64', 'enc']), pick(oddValues)]),
  headerTwice: (h) => h.splice(below(h.length + 1), 0, [pick(['alg', 'kid', 'typ']), pick(oddValues)]),
  critical: (h) => h.push(['crit', pick(['["exp"]', '[]', 'null', '["b64"]', '"x"', '{}'])]),
  otherKid: (h) => { h.find(([name]) => name === 'kid')[1] = JSON.stringify(pick(['a', 'b', 'c', 'curve', 'encrypting', 'other-algorithm', 'A', 'a ', ''])); },
  deep: (h, p) => p.push(['deep', '['.repeat(40) + ']'.repeat(40)]),
  long: (h, p) => p.push(['long', JSON.stringify('x'.repeat(below(4000)))]),
};
const notJson = ['', 'null', '[]', '1', '"x"', '{', '{}x', '{"a":1,}', "{'a':1}", '\ufeff{}', '{"a":\u0001}', '{"a":"\\ud800"}', 'NaN', '{"a":01}', '{"a":+1}', '{/**/}'];
// Each changes the token afterwards.
const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const cut = (token) => token.slice(0, below(token.length));
const replaceAt = (token, at, c) => token.slice(0, at) + c + token.slice(at + 1);
const tokenChanges = {
  bitFlipped: (t) => replaceAt(t, below(t.length), pick(digits)),
  signatureChanged: (t) => { const from = t.lastIndexOf('.') + 1; return replaceAt(t, from + below(t.length - from), pick(digits)); },
  lastDigit: (t) => replaceAt(t, t.length - 1, pick(digits)),
  cut,
  strangeByte: (t) => replaceAt(t, below(t.length), pick('+/=%!~.:;@')),
  padded: (t) => t + pick(['=', '==', 'A', '.', 'AA', 'AAAA']),
  partsSwapped: (t) => { const [a, b, c] = t.split('.'); return pick([`${b}.${a}.${c}`, `${a}.${c}.${b}`, `${a}.${b}.`, `.${b}.${c}`, `${a}..${c}`, `${a}.${b}`, `${a}.${b}.${c}.${c}`]); },
  noneInstead: (t) => { const parts = t.split('.'); return `${encode(`{"alg":"none","kid":"a"}`)}.${parts[1]}.${pick(['', parts[2]])}`; },
  sharedSecret: (t) => `${encode('{"alg":"HS256","kid":"a"}')}.${t.split('.').slice(1).join('.')}`,
  signatureOfAnother: (t) => `${t.slice(0, t.lastIndexOf('.') + 1)}${encode(Buffer.alloc(pick([0, 1, 64, 255, 256, 257, 384]), below(256)))}`,
};

function make() {
  const kid = pick(['a', 'a', 'a', 'b', 'c']);
  const kind = below(10);
  if (kind === 0) {
    let length = 1 + below(200);
    let noise = '';
    while (length-- > 0) noise += pick(digits + '..');
    return { how: 'noise', token: noise };
  }
  if (kind === 1) {
    const which = below(2);
    const bad = below(8) ? Buffer.from(pick(notJson)) : Buffer.from([0x7b, 0x22, 0x61, 0x22, 0x3a, 0x22, 0xff, 0xc0, 0x22, 0x7d]);
    return { how: 'notJson', token: which ? sign(kid, bad, text(payload())) : sign(kid, text(header(kid)), bad) };
  }
  const h = header(kid);
  const p = payload();
  let signer = kid;
  let hash = 'sha256';
  let how = 'good';
  if (kind <= 6) {
    how = pick(Object.keys(signedChanges));
    signedChanges[how](h, p);
    if (how === 'otherKid' && below(2)) signer = JSON.parse(h.find(([name]) => name === 'kid')[1]);
    if (signer === 'curve' && below(2)) h[0][1] = '"ES256"';
    if (signer === 'other-algorithm') hash = 'sha512';
  }
  const token = sign(signer, text(h), text(p), hash);
  if (kind < 9) return { how, token };
  how = pick(Object.keys(tokenChanges));
  return { how, token: tokenChanges[how](token) };
}

// ---- what is said

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
function depth(value) {
  if (value === null || typeof value !== 'object') return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depth));
}
function wellFormed(value) {
  if (typeof value === 'string') return value.isWellFormed();
  if (value === null || typeof value !== 'object') return true;
  return Object.entries(value).every(([name, member]) => name.isWellFormed() && wellFormed(member));
}
// What weir refuses and jose lets pass.
function restrict(token) {
  const parts = token.split('.');
  if (parts.length !== 3) throw new Error('not three parts');
  const [h, p] = parts.map((part, i) => {
    const bytes = Buffer.from(part, 'base64url');
    if (bytes.toString('base64url') !== part) throw new Error('not canonical base64url');
    if (i === 2) return null;
    const json = JSON.parse(decoder.decode(bytes));
    if (json === null || typeof json !== 'object' || Array.isArray(json)) throw new Error('no object');
    if (depth(json) > 16 || !wellFormed(json)) throw new Error('deep or ill-formed');
    return json;
  });
  if ('crit' in h) throw new Error('crit');
  if (typeof h.kid !== 'string') throw new Error('no kid');
  if ('iat' in p && !(typeof p.iat === 'number' && p.iat <= Math.floor(Date.now() / 1000))) throw new Error('iat');
}
const keySet = createLocalJWKSet({ keys });
async function judge(token) {
  try {
    restrict(token);
    await jwtVerify(token, keySet, { algorithms: ['RS256'], issuer: options.issuer, requiredClaims: ['exp'] });
    return { ok: true, why: '' };
  } catch (error) {
    return { ok: false, why: String(error.message) };
  }
}

const tokens = [];
while (tokens.length < options.count) {
  const made = make();
  tokens.push({ ...made, ...(await judge(made.token)) });
}
process.stdout.write(JSON.stringify({ keys, tokens }));
