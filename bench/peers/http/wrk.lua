-- What wrk sends, from the environment, and its result as one line of JSON.
--   PEERS_METHOD, PEERS_HOST, PEERS_BODY_BYTES, PEERS_FIELDS (lines `Name: value`), PEERS_CLOSE=1,
--   PEERS_PATHS=N: the path of the URL with a number from 0 to N-1 behind it, one after the other
--   PEERS_COOKIES (lines): values of Cookie, one after the other
wrk.method = os.getenv("PEERS_METHOD") or "GET"
wrk.headers["Host"] = os.getenv("PEERS_HOST")
local bytes = tonumber(os.getenv("PEERS_BODY_BYTES") or "0")
if bytes > 0 then wrk.body = string.rep("x", bytes) end
for name, value in string.gmatch(os.getenv("PEERS_FIELDS") or "", "([^:\n]+): ([^\n]*)") do wrk.headers[name] = value end
if os.getenv("PEERS_CLOSE") then wrk.headers["Connection"] = "close" end

local paths = tonumber(os.getenv("PEERS_PATHS") or "1")
local cookies = {}
for cookie in string.gmatch(os.getenv("PEERS_COOKIES") or "", "[^\n]+") do cookies[#cookies + 1] = cookie end
if paths > 1 or #cookies > 0 then
  local requests, last = {}, 0
  init = function()
    for i = 1, paths do
      local path = paths > 1 and wrk.path .. (i - 1) or wrk.path
      if #cookies == 0 then requests[#requests + 1] = wrk.format(nil, path) end
      for _, cookie in ipairs(cookies) do
        wrk.headers["Cookie"] = cookie
        requests[#requests + 1] = wrk.format(nil, path)
      end
    end
  end
  request = function()
    last = last % #requests + 1
    return requests[last]
  end
end

done = function(summary, latency, requests)
  local e = summary.errors
  io.write(string.format(
    '{"requests":%d,"seconds":%.6f,"bytes":%d,"errors":{"connect":%d,"read":%d,"write":%d,"status":%d,"timeout":%d},',
    summary.requests, summary.duration / 1e6, summary.bytes, e.connect, e.read, e.write, e.status, e.timeout))
  io.write(string.format('"latency_us":{"p50":%.0f,"p99":%.0f,"p99.9":%.0f,"max":%.0f}}\n',
    latency:percentile(50), latency:percentile(99), latency:percentile(99.9), latency.max))
end
