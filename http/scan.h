#pragma once

// Byte classes and scanning loops of the HTTP/1.1 grammar, shared by the parsers of this folder.

#include "base/hex.h"

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <type_traits>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace weir::http {

inline constexpr std::uint8_t kTokenByte = 1;    // tchar, RFC 9110 section 5.6.2
inline constexpr std::uint8_t kAlnumByte = 2;    // ALPHA / DIGIT
inline constexpr std::uint8_t kTargetStop = 4;   // space, control characters, DEL and `#`
inline constexpr std::uint8_t kValueStop = 8;    // control characters (tab too), DEL, 0x80 to 0xff
inline constexpr std::uint8_t kQuotedByte = 16;  // qdtext and quoted-pair bytes: tab, space, VCHAR, obs-text
inline constexpr std::uint8_t kHostByte = 32;    // reg-name without percent escapes, RFC 3986 section 3.2.2
inline constexpr std::uint8_t kPlainByte = 64;   // letters, digits and dashes: of field names that AWS calls valid

consteval std::array<std::uint8_t, 256> BuildByteClasses() {
  constexpr std::string_view kTokenMarks = "!#$%&'*+-.^_`|~";
  constexpr std::string_view kHostMarks = "-._~!$&'()*+,;=";
  std::array<std::uint8_t, 256> classes{};
  for (std::size_t i = 0; i < classes.size(); ++i) {
    const char c = static_cast<char>(i);
    const bool alnum = (i >= '0' && i <= '9') || (i >= 'A' && i <= 'Z') || (i >= 'a' && i <= 'z');
    const bool control = i < 0x20 || i == 0x7f;
    unsigned bits = 0;
    if (alnum) bits |= kAlnumByte;
    if (alnum || c == '-') bits |= kPlainByte;
    if (alnum || kTokenMarks.find(c) != std::string_view::npos) bits |= kTokenByte;
    if (alnum || kHostMarks.find(c) != std::string_view::npos) bits |= kHostByte;
    if (control || i == ' ' || i == '#') bits |= kTargetStop;
    if (control || i >= 0x80) bits |= kValueStop;
    if (!control || i == '\t') bits |= kQuotedByte;
    if (i == 0) bits &= ~unsigned{kTokenByte | kHostByte};
    classes[i] = static_cast<std::uint8_t>(bits);
  }
  return classes;
}
inline constexpr std::array<std::uint8_t, 256> kByteClasses = BuildByteClasses();

[[nodiscard]] inline bool IsByte(std::uint8_t byte_class, char c) {
  return (kByteClasses[static_cast<unsigned char>(c)] & byte_class) != 0;
}
[[nodiscard]] inline bool IsToken(std::string_view text) {
  for (const char c : text) {
    if (!IsByte(kTokenByte, c)) return false;
  }
  return !text.empty();
}
// Optional white space of RFC 9110 section 5.6.3 at both ends.
[[nodiscard]] inline std::string_view TrimSpace(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// The first byte that is no tchar, or `end`. `plain` becomes false when one of those before is no kPlainByte.
[[nodiscard]] inline const char* FindNotToken(const char* at, const char* end, bool& plain) {
#if defined(__SSE2__)
  // Letters, digits and dashes make up nearly every name; the other tchars are left to the loop below.
  const auto below = [](__m128i bytes, char count) {
    const __m128i bound = _mm_set1_epi8(static_cast<char>(count - 1));
    return _mm_cmpeq_epi8(_mm_min_epu8(bytes, bound), bytes);
  };
  while (end - at >= 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    const __m128i lower = _mm_or_si128(bytes, _mm_set1_epi8(0x20));
    const __m128i letters = below(_mm_sub_epi8(lower, _mm_set1_epi8('a')), 26);
    const __m128i digits = below(_mm_sub_epi8(bytes, _mm_set1_epi8('0')), 10);
    const __m128i dashes = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('-'));
    const int mask = _mm_movemask_epi8(_mm_or_si128(_mm_or_si128(letters, digits), dashes));
    if (mask != 0xffff) {
      at += std::countr_one(static_cast<unsigned>(mask));
      break;
    }
    at += 16;
  }
#endif
  for (unsigned all = kPlainByte; at != end; ++at) {
    const unsigned classes = kByteClasses[static_cast<unsigned char>(*at)];
    if ((classes & kTokenByte) == 0) return at;  // nearly always at once
    all &= classes;
    if (all == 0) plain = false;
  }
  return at;
}
[[nodiscard]] inline const char* FindNotToken(const char* at, const char* end) {
  bool plain = true;
  return FindNotToken(at, end, plain);
}

// The first byte of kTargetStop, or `end`.
[[nodiscard]] inline const char* FindTargetStop(const char* at, const char* end) {
#if defined(__SSE2__)
  const __m128i space = _mm_set1_epi8(0x20);
  const __m128i del = _mm_set1_epi8(0x7f);
  const __m128i hash = _mm_set1_epi8('#');
  while (end - at >= 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    const __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(bytes, space), bytes);
    const __m128i odd = _mm_or_si128(_mm_cmpeq_epi8(bytes, del), _mm_cmpeq_epi8(bytes, hash));
    const int mask = _mm_movemask_epi8(_mm_or_si128(low, odd));
    if (mask != 0) return at + std::countr_zero(static_cast<unsigned>(mask));
    at += 16;
  }
#endif
  while (at != end && !IsByte(kTargetStop, *at)) ++at;
  return at;
}

// The first byte of kValueStop, or `end`.
[[nodiscard]] inline const char* FindValueStop(const char* at, const char* end) {
#if defined(__SSE2__)
  const __m128i space = _mm_set1_epi8(0x20);
  const __m128i del = _mm_set1_epi8(0x7f);
  while (end - at >= 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    // Signed: bytes from 0x80 up are negative, so one comparison finds them and the control characters.
    const __m128i stop = _mm_or_si128(_mm_cmplt_epi8(bytes, space), _mm_cmpeq_epi8(bytes, del));
    const int mask = _mm_movemask_epi8(stop);
    if (mask != 0) return at + std::countr_zero(static_cast<unsigned>(mask));
    at += 16;
  }
#endif
  while (at != end && !IsByte(kValueStop, *at)) ++at;
  return at;
}

// True when `text` is `name` whatever its case. `name` is lower case, of letters and dashes only, at least 4 bytes.
// Setting bit 5 maps no other token byte to a letter or a dash, so words can be compared whole; for texts that are not
// tokens use EqualsIgnoreCase.
template <std::size_t kSizeWithNul>
[[nodiscard]] inline bool TokenIs(std::string_view text, const char (&name)[kSizeWithNul]) {
  constexpr std::size_t kSize = kSizeWithNul - 1;
  static_assert(kSize >= 4);
  if (text.size() != kSize) return false;
  using Word = std::conditional_t<(kSize >= 8), std::uint64_t, std::uint32_t>;
  constexpr Word kLower = static_cast<Word>(0x2020202020202020U);
  const auto same = [&](std::size_t at) {
    Word have = 0;
    Word want = 0;
    std::memcpy(&have, text.data() + at, sizeof(Word));
    std::memcpy(&want, name + at, sizeof(Word));
    return (have | kLower) == want;
  };
  for (std::size_t at = 0; at + sizeof(Word) <= kSize; at += sizeof(Word)) {
    if (!same(at)) return false;
  }
  return kSize % sizeof(Word) == 0 || same(kSize - sizeof(Word));
}

}  // namespace weir::http
