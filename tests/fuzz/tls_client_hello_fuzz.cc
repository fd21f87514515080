// What is read of a ClientHello beside OpenSSL: the name, and by the numbers of suites, signatures and groups which
// certificate the client gets. Input: the name, a zero byte, the version; then the numbers, each behind a byte that
// says what it is.

#include "base/check.h"
#include "net/tls_choice.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/memory_file.h"

#include <algorithm>
#include <array>
#include <memory>
#include <string_view>
#include <vector>

namespace {

using weir::net::TlsCredential;

constexpr std::string_view kEcdsa = R"(-----BEGIN CERTIFICATE-----
MIIBpTCCAUqgAwIBAgIUDV9nTm4E6KG7Wnosk5N8r+ItlUkwCgYIKoZIzj0EAwIw
DzENMAsGA1UEAwwEc2hvcDAgFw0yNjExMjkyMDE5MjZaGA8yMTI2MTEwNTIwMTky
NlowDzENMAsGA1UEAwwEc2hvcDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABGkT
bpXMFW0Dyv9aTOkbQTR0MrbqLOwJCqOWvO2yPCocVGpubyH/LooMWU0xsoRVoxbp
PH31j/t0HkjdMLUtaUKjgYEwfzAdBgNVHQ4EFgQUjqGvxLW4py9lzZxhKwu+TdPU
8cUwHwYDVR0jBBgwFoAUjqGvxLW4py9lzZxhKwu+TdPU8cUwDwYDVR0TAQH/BAUw
AwEB/zAsBgNVHREEJTAjgg4qLmV4YW1wbGUudGVzdIIRc2hvcC5leGFtcGxlLnRl
c3QwCgYIKoZIzj0EAwIDSQAwRgIhAN7miZ1fbfBcd14FvuT9okCn6TObKj5+zsAk
B6J3MPJfAiEAzlHZNcS7xHSRRqaX6O4Vz1p/IIitJKHPvJDidza728I=
-----END CERTIFICATE-----
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgMh6RJ7GHEbKsqUff
icP1EU1GrzzZZ3iEPzczAyC12N+hRANCAARpE26VzBVtA8r/WkzpG0E0dDK26izs
CQqjlrztsjwqHFRqbm8h/y6KDFlNMbKEVaMW6Tx99Y/7dB5I3TC1LWlC
-----END PRIVATE KEY-----
)";
constexpr std::string_view kRsa = R"(-----BEGIN CERTIFICATE-----
MIIDXTCCAkWgAwIBAgIUI8DMV+6SSrMyeaG2u5YPRLFBRNYwDQYJKoZIhvcNAQEL
BQAwLjELMAkGA1UEBhMCVVMxEDAOBgNVBAoMB03DvGxsZXIxDTALBgNVBAMMBHNo
b3AwIBcNMjYxMTI5MjAxOTI3WhgPMjEyNjExMDUyMDE5MjdaMC4xCzAJBgNVBAYT
AlVTMRAwDgYDVQQKDAdNw7xsbGVyMQ0wCwYDVQQDDARzaG9wMIIBIjANBgkqhkiG
9w0BAQEFAAOCAQ8AMIIBCgKCAQEAtJTfaWcvBGCR9hiLRQFgU08BzU+hBnkykHhn
RXOe5o++QmHeGdS3thzfRYiVc+DnfzfGbbBHoXXY5x8Oa4i+VH187OB1O2DcQpD/
3hRR6LmQI0FvpgOohM8UrGYVgCn38ftQuXqcsWR+gDvkT3Ark22D8uDmBj3jtpeN
urJrXEdUUJEr2UFqH3plet9E4c75Iqxw56XQN0HRkjAXf4xUIE9rtRmq9D1Z2T/e
56iJD0E/Oe8cGofGwp211UILX+Gzj+dfodqUFi2/F/CbxNbGY7ytsLX5uw5FCp9C
hozngBUcZe6O2klkPRDufZp+99k+HFn+L/9cwXi5BeHF1eEbtQIDAQABo3EwbzAd
BgNVHQ4EFgQUv9NzqDtnE2DDPnmr19gDoE9AfyIwHwYDVR0jBBgwFoAUv9NzqDtn
E2DDPnmr19gDoE9AfyIwDwYDVR0TAQH/BAUwAwEB/zAcBgNVHREEFTATghFzaG9w
LmV4YW1wbGUudGVzdDANBgkqhkiG9w0BAQsFAAOCAQEAGukEhrQQxkLM4l5Jvj8Q
hKRbePc98SNGlIRWGrVeP4v3u8th1aMjqmGrlC7apn/+sgqqm7wozDNJCs56CfJ3
ZiSBIF+VthcqhWtJi72zH9DIX1I9VfgOhbnhQkkB0xQ3IliWDQ6jmB0RF0hzpBdO
8q5QBfi8YDzlqjSGIWWgvYLD7Hmnm4hULcsgefJ5vlf2Hz21diIF9EOK4HJmu6wR
q2PqHg5vt7dz7RnTBWMuA20ci47EEHl98adbFcJy6ZXW/DuPIReZill6D3X/8YQm
Bj6IFo8ah++GL3xpk8zz6yjiL9FzykmJ84/VvAAUAmVDEOFa+HThtV5zGq0FrfEC
zw==
-----END CERTIFICATE-----
-----BEGIN PRIVATE KEY-----
MIIEvwIBADANBgkqhkiG9w0BAQEFAASCBKkwggSlAgEAAoIBAQC0lN9pZy8EYJH2
GItFAWBTTwHNT6EGeTKQeGdFc57mj75CYd4Z1Le2HN9FiJVz4Od/N8ZtsEehddjn
Hw5riL5UfXzs4HU7YNxCkP/eFFHouZAjQW+mA6iEzxSsZhWAKffx+1C5epyxZH6A
O+RPcCuTbYPy4OYGPeO2l426smtcR1RQkSvZQWofemV630ThzvkirHDnpdA3QdGS
MBd/jFQgT2u1Gar0PVnZP97nqIkPQT857xwah8bCnbXVQgtf4bOP51+h2pQWLb8X
8JvE1sZjvK2wtfm7DkUKn0KGjOeAFRxl7o7aSWQ9EO59mn732T4cWf4v/1zBeLkF
4cXV4Ru1AgMBAAECggEAJssgn6UiDZ+tW5/0M1PTXLJJYdDsd9aLjUvAa8Ql68QP
jHU34Ha5LK9RK7/m02kKcmMKBsBq8v29JhGe6G0M7luy/bROmv3483fw78WPvx42
H8zL7m80was29r5LeigJ8vsZYW88wEMlhejX6FThl59cTE4SPF8JT02JjgUMWVtB
Dm6ajcqX1x9a4B/WrKJXhBnQ9f0AJ6WpviX99KndHbCAcd1Y27h6h52Osidosfpa
BCaH8HaTV5XlqrH/maefnbmqyLu1ticxyVOC9AMi2PKeOUKGLB9e7ZhnKOJA0DNv
9wf/E7RiZapTzJk7+idmjnWohJXysvpVjDEeFSxJdQKBgQDdqY4yBIglo5TJfH9w
6x71GAFbYm/KO2qs0Wvutj8XPGnMzlmiQcPXOB7ElILhAXYm8SWcnMW881vrPqVp
iyRlDi90Gk369ki7qT3gjKpt67COK0cuMa3ecn+6ifYwX50q3kB9YI63QOzswL+5
r5VC92Y/no+uhnQj/H0ADnG3VwKBgQDQji3/VU/d4cFQ3tmamwIOJLf5ikRCFdh2
vnrhJrGFjtyLfkq9YamsOww5E+LavclsEB5bYTN8fM94NUP770O6vpJ4xMNERDnk
rOEFO7xJHvEQRI9fEAfia/ybHC730GdbgsVufM/bcR4bZTrEWQ9T+KwfHbE5u5Jm
n7OJbIyZ0wKBgQDX8yA9Snz5bmy9/zSJZgc68LAhv7z5YPmEdGKapaLBmHHavg5F
LZ0GR/5xtd3sJ+hb+AOUmIdslgqvHNE6CfzjFvbUPexK2zXw3ekSovhHLp9LYo5u
SqgBV7tomI/ogL41zWE2xKNFlVM9NGuVE6JvI2fSA0An34W2qX1+WJQg8QKBgQCo
NFQC4FK2+NJKoEHPAP/qWlELcSnWRvo74ysGFogM2QkldGlhTrhjEYitLE3F8FXY
0zM4ri+xUpSeNg+rzPDKV9OYldGLaJ9swMYHy4LzUoJIhZNAr5Q8WK32iAeVlT8X
PmRv1Thrm1MV81IvdEj5h9GCkxcSIidUn69UwfiwQwKBgQCwnXiVCmB/czBj9VNv
R00E/84OtKA+aWTWZRg7cc8FqIiKLF1/vamqM76g62V8c5of/+stijG3DAU9xVI6
XzmZnFPvdbIgXRgRZYmc3M9pEeI8a58i0HUlhttXsQZYcualWypA5Eum5gP2+HzA
7CDsbeyt15PVYpNdq6ZDb9RItw==
-----END PRIVATE KEY-----
)";

std::shared_ptr<const TlsCredential> Load(std::string_view pem) {
  const weir::MemoryFile file(pem);
  auto loaded = TlsCredential::Load({.certificate = file.path(), .key = file.path(), .passphrase = {}});
  WEIR_CHECK(loaded.has_value());
  return std::move(*loaded);
}

// The RSA certificate, for shop.example.test, is the default; the other is for *.example.test and shop.example.test.
const weir::net::TlsChoice& Choice() {
  static const weir::net::TlsChoice choice({Load(kRsa), Load(kEcdsa)});
  return choice;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::string_view name = input.substr(0, input.find('\0'));
  std::string_view rest = input.substr(std::min(input.size(), name.size() + 1));
  std::array<std::vector<std::uint16_t>, 3> numbers;
  bool is_13 = false;
  if (!rest.empty()) {
    is_13 = rest.front() == '3';
    rest.remove_prefix(1);
  }
  const auto byte = [](char c) { return static_cast<std::uint8_t>(c); };
  for (; rest.size() >= 3; rest.remove_prefix(3)) {
    numbers[byte(rest[0]) % 3].push_back(static_cast<std::uint16_t>(byte(rest[1]) << 8U | byte(rest[2])));
  }
  weir::net::TlsClientHello hello;
  hello.version = is_13 ? weir::net::TlsVersion::k13 : weir::net::TlsVersion::k12;
  hello.suites = numbers[0];
  if (!numbers[1].empty()) hello.schemes = numbers[1];
  if (!numbers[2].empty()) hello.groups = numbers[2];
  const auto offer = weir::net::OfferOf(hello);
  const auto& choice = Choice();
  const std::size_t chosen = choice.Select(name, offer, weir::WallTime());
  WEIR_CHECK(chosen < choice.credentials().size());
  if (!choice.Matches(name)) WEIR_CHECK(chosen == 0);
  // Who can verify one of the certificates for the name never gets the other.
  const auto takes = [&](std::size_t index) { return offer.Takes(choice.credentials()[index]->facts()); };
  if (name == "shop.example.test") WEIR_CHECK(takes(chosen) || (!takes(0) && !takes(1)));
  if (name == "a.example.test") WEIR_CHECK(chosen == 1);
  return 0;
}
