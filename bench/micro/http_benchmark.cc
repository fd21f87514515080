#include "http/chunked.h"
#include "http/head_parser.h"
#include "http/target.h"

#include <benchmark/benchmark.h>

#include <cstddef>
#include <string>
#include <string_view>

namespace {

// What a browser sends: 550 bytes, 10 fields.
constexpr std::string_view kRequest =
    "GET /catalogue/products/1234567/reviews?page=2&sort=newest HTTP/1.1\r\n"
    "Host: shop.example.com\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n"
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n"
    "Accept-Language: en-GB,en;q=0.7,de;q=0.3\r\n"
    "Accept-Encoding: gzip, deflate, br, zstd\r\n"
    "Referer: https://shop.example.com/catalogue/products/1234567\r\n"
    "Connection: keep-alive\r\n"
    "Cookie: session=0123456789abcdef0123456789abcdef; theme=dark\r\n"
    "Upgrade-Insecure-Requests: 1\r\n"
    "X-Request-Id: 7f3c9e52b1d04a6c8f1e\r\n\r\n";

constexpr std::string_view kSmallRequest = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

constexpr std::string_view kResponse =
    "HTTP/1.1 200 OK\r\n"
    "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
    "Server: target\r\n"
    "Content-Type: application/json\r\n"
    "Content-Length: 1024\r\n"
    "Cache-Control: no-store\r\n"
    "X-Request-Id: 7f3c9e52b1d04a6c8f1e\r\n\r\n";

void ParseRequest(benchmark::State& state, std::string_view bytes) {
  weir::http::RequestHead head;
  for (auto _ : state) {
    std::size_t scanned = 0;
    benchmark::DoNotOptimize(weir::http::ParseRequestHead(bytes, scanned, {}, head));
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bytes.size()));
}
BENCHMARK_CAPTURE(ParseRequest, browser, kRequest);
BENCHMARK_CAPTURE(ParseRequest, small, kSmallRequest);

void ParseResponse(benchmark::State& state) {
  weir::http::ResponseHead head;
  for (auto _ : state) {
    std::size_t scanned = 0;
    benchmark::DoNotOptimize(
        weir::http::ParseResponseHead(kResponse, scanned, weir::http::ResponseHeadLimits(), "GET", head));
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(kResponse.size()));
}
BENCHMARK(ParseResponse);

void DecodeChunks(benchmark::State& state) {
  const std::size_t size = static_cast<std::size_t>(state.range(0));
  std::string bytes;
  for (int i = 0; i < 64; ++i) {
    weir::http::AppendChunkHeader(bytes, size);
    bytes.append(size, 'x').append("\r\n");
  }
  weir::http::AppendLastChunk(bytes, {});
  weir::http::ChunkedDecoder decoder;
  for (auto _ : state) {
    decoder.Reset();
    std::string_view rest = bytes;
    while (!rest.empty()) {
      const auto output = decoder.Next(rest);
      benchmark::DoNotOptimize(output.content.data());
      rest.remove_prefix(output.consumed);
    }
  }
  state.SetItemsProcessed(state.iterations() * 64);
}
BENCHMARK(DecodeChunks)->Arg(1)->Arg(1024);

void NormalizePath(benchmark::State& state, std::string_view path) {
  std::string out;
  for (auto _ : state) {
    out.clear();
    benchmark::DoNotOptimize(weir::http::NormalizePath(path, out));
  }
}
BENCHMARK_CAPTURE(NormalizePath, plain, "/catalogue/products/1234567/reviews");
BENCHMARK_CAPTURE(NormalizePath, dotted, "/catalogue/%7Eusers/../products/./1234567/reviews");

}  // namespace
