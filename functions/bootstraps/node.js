// What runs a handler written for AWS Lambda's Node.js runtimes: asks the Lambda Runtime API of weir for one event after the
// other, calls the handler and gives back what it returns. CommonJS and ES modules, async handlers and callbacks.
"use strict";

const fs = require("node:fs");
const http = require("node:http");
const path = require("node:path");
const url = require("node:url");
const util = require("node:util");

const API = "/2018-06-01/runtime";
const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(":");
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
let requestId = "";

function ask(method, target, content, fields = {}) {
  return new Promise((resolve, reject) => {
    const headers = content === undefined ? fields : { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(content), ...fields };
    const request = http.request({ host, port, agent, method, path: API + target, headers }, (answer) => {
      const pieces = [];
      answer.on("data", (piece) => pieces.push(piece));
      answer.on("end", () => resolve({ status: answer.statusCode, fields: answer.headers, content: Buffer.concat(pieces).toString("utf8") }));
      answer.on("error", reject);
    });
    request.on("error", reject);
    request.end(content);
  });
}

class Fault extends Error {
  constructor(name, message) {
    super(message);
    this.name = name;
  }
}

// Of the handler alone: the frames of this program, which comes by standard input, are left out.
function stackOf(error) {
  return (error.stack || "").split("\n").filter((line) => !/^ {4}at .*\[stdin\]/.test(line));
}

// What Lambda says of an error.
function report(error) {
  const isError = util.types.isNativeError(error) || error instanceof Error;
  const said = isError
    ? { errorType: error.name, errorMessage: error.message, trace: stackOf(error) }
    : { errorType: typeof error, errorMessage: String(error), trace: [] };
  console.error("Invoke Error", JSON.stringify(said));
  return said;
}

// ---- the log: time, id of the invocation, level, as Lambda's

function setUpLog() {
  for (const [method, level] of [["log", "INFO"], ["debug", "DEBUG"], ["info", "INFO"], ["warn", "WARN"], ["error", "ERROR"], ["trace", "TRACE"]]) {
    console[method] = (...parts) => {
      const text = util.format(...parts).replace(/\n/g, "\r");
      process.stdout.write(`${new Date().toISOString()}\t${requestId || undefined}\t${level}\t${text}\n`);
    };
  }
}

// ---- the handler `folder/module.function`

function fileOf(root, module) {
  const base = path.resolve(root, module);
  return [base, `${base}.js`, `${base}.mjs`, `${base}.cjs`].find((file) => fs.statSync(file, { throwIfNoEntry: false })?.isFile());
}

function find(object, names) {
  return names.reduce((found, name) => found?.[name], object);
}

async function load(root, handler) {
  const parts = /^(.*?)([^/.]+)\.(.+)$/.exec(handler);
  if (!parts) throw new Fault("Runtime.MalformedHandlerName", "Bad handler");
  const [, folder, name, inside] = parts;
  const file = fileOf(root, folder + name);
  if (!file) throw new Fault("Runtime.ImportModuleError", `Error: Cannot find module '${name}'`);
  let module;
  try {
    module = await import(url.pathToFileURL(file));
  } catch (error) {
    if (error instanceof SyntaxError) throw new Fault("Runtime.UserCodeSyntaxError", String(error));
    if (error?.code === "MODULE_NOT_FOUND" || error?.code === "ERR_MODULE_NOT_FOUND") throw new Fault("Runtime.ImportModuleError", String(error));
    throw error;
  }
  const names = inside.split(".");
  const found = find(module, names) ?? find(module.default, names);
  if (found === undefined) throw new Fault("Runtime.HandlerNotFound", `${handler} is undefined or not exported`);
  if (typeof found !== "function") throw new Fault("Runtime.HandlerNotFound", `${handler} is not a function`);
  return found;
}

// ---- one invocation

// The second argument of a handler; `settle` ends the invocation.
function contextOf(fields, settle) {
  const deadline = Number(fields["lambda-runtime-deadline-ms"]);
  return {
    callbackWaitsForEmptyEventLoop: true,
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
    clientContext: undefined,
    identity: undefined,
    invokedFunctionArn: fields["lambda-runtime-invoked-function-arn"],
    awsRequestId: fields["lambda-runtime-aws-request-id"],
    getRemainingTimeInMillis: () => Math.max(deadline - Date.now(), 0),
    succeed: (result) => settle(null, result),
    fail: (error) => settle(error ?? "handled"),
    done: (error, result) => settle(error, result),
  };
}

// Settles with what the handler returns, throws or calls back with; with null when nothing is left that could.
function call(handler, event, fields) {
  return new Promise((resolve, reject) => {
    let settled = false;
    const idle = () => finish(resolve, null);
    function finish(how, value) {
      if (settled) return;
      settled = true;
      process.removeListener("beforeExit", idle);
      how(value);
    }
    const settle = (error, result) => (error != null ? finish(reject, error) : finish(resolve, result));
    const context = contextOf(fields, settle);
    // A result that was called back waits until the handler has nothing under way, unless it asks not to.
    const callback = (error, result) => {
      if (error != null || !context.callbackWaitsForEmptyEventLoop) return settle(error, result);
      process.removeListener("beforeExit", idle);
      process.once("beforeExit", () => settle(null, result));
    };
    process.on("beforeExit", idle);
    try {
      const returned = handler(event, context, callback);
      if (typeof returned?.then === "function") {
        returned.then((result) => finish(resolve, result), (error) => finish(reject, error));
      }
    } catch (error) {
      finish(reject, error);
    }
  });
}

function encode(result) {
  try {
    return JSON.stringify(result === undefined ? null : result) ?? "null";
  } catch (error) {
    throw new Fault("Runtime.MarshalError", `Unable to stringify response body: ${error}`);
  }
}

async function invoke(handler) {
  const { status, fields, content } = await ask("GET", "/invocation/next");
  if (status !== 200) throw new Error(`no invocation: ${status} ${content}`);
  requestId = fields["lambda-runtime-aws-request-id"];
  process.env._X_AMZN_TRACE_ID = fields["lambda-runtime-trace-id"] ?? "";
  let answer;
  try {
    answer = ["response", encode(await call(handler, JSON.parse(content), fields))];
  } catch (error) {
    const said = report(error);
    answer = ["error", JSON.stringify(said), { "Lambda-Runtime-Function-Error-Type": said.errorType }];
  }
  const [outcome, text, more] = answer;
  await ask("POST", `/invocation/${requestId}/${outcome}`, text, more);
}

// The process is of no more use: its current invocation, if there is one, has failed.
async function giveUp(name, error, status) {
  const said = report(name ? Object.assign(new Fault(name, String(error)), { stack: error?.stack }) : error);
  const target = requestId ? `/invocation/${requestId}/error` : "/init/error";
  try {
    // On a connection of its own: the other one may wait for something.
    agent.destroy();
    await ask("POST", target, JSON.stringify(said), { "Lambda-Runtime-Function-Error-Type": said.errorType });
  } finally {
    process.exit(status);
  }
}

async function main() {
  setUpLog();
  process.env.AWS_EXECUTION_ENV = `AWS_Lambda_nodejs${process.versions.node.split(".")[0]}.x`;
  process.on("uncaughtException", (error) => giveUp(undefined, error, 129));
  process.on("unhandledRejection", (error) => giveUp("Runtime.UnhandledPromiseRejection", error, 128));
  const handler = await load(process.env.LAMBDA_TASK_ROOT, process.env._HANDLER).catch((error) => giveUp(undefined, error, 1));
  for (;;) await invoke(handler);
}

main();
