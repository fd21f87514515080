// The service of the gRPC cases, the same as test_grpc.py has: messages are bytes, the method's name says what it does.
const same = (bytes) => bytes;
const method = (path, requestStream = false, responseStream = false) => ({
  path, requestStream, responseStream, requestSerialize: same, requestDeserialize: same, responseSerialize: same, responseDeserialize: same,
});

export const cart = {
  Echo: method("/shop.Cart/Echo"),
  Fail: method("/shop.Cart/Fail"),
  Count: method("/shop.Cart/Count", false, true),
  Sum: method("/shop.Cart/Sum", true, false),
  Chat: method("/shop.Cart/Chat", true, true),
  Hang: method("/shop.Cart/Hang"),
  Missing: method("/shop.Cart/Missing"),
  // Of the server in Node.js alone: what the client left of its deadline, in milliseconds; how many calls were cancelled; what health
  // checks are told from now on.
  Left: method("/shop.Cart/Left"),
  Cancelled: method("/shop.Cart/Cancelled"),
  SetHealth: method("/shop.Cart/SetHealth"),
  Elsewhere: method("/shop.Other/Echo"),
  Plain: method("/shop.Plain/Echo"),
};
// What ALB asks by default, and the standard's service (grpc.health.v1).
export const albHealth = {Healthcheck: method("/AWS.ALB/healthcheck")};
export const health = {Check: method("/grpc.health.v1.Health/Check")};
// grpc.health.v1.HealthCheckResponse {status: SERVING}
export const SERVING = Buffer.from([0x08, 0x01]);
// No limit of their own on the size of messages.
export const unlimited = {"grpc.max_receive_message_length": -1, "grpc.max_send_message_length": -1};
