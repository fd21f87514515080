#include "net/cookie_cipher.h"

#include "base/check.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <optional>
#include <utility>

namespace weir::net {
namespace {

constexpr std::size_t kNameBytes = 3;
constexpr std::size_t kNonceBytes = 24;
constexpr std::size_t kTagBytes = 16;
constexpr std::size_t kBlockBytes = 16;

// What a cipher's state is made for, once: later calls give it keys and nonces alone, which allocates nothing.
OwnedCipherState MakeState(const char* algorithm, const std::uint8_t* key, int encrypts) {
  EVP_CIPHER* const cipher = EVP_CIPHER_fetch(nullptr, algorithm, nullptr);
  OwnedCipherState state(EVP_CIPHER_CTX_new());
  const bool made = cipher != nullptr && state != nullptr &&
                    EVP_CipherInit_ex2(state.get(), cipher, key, nullptr, encrypts, nullptr) == 1;
  EVP_CIPHER_free(cipher);  // the state holds it
  WEIR_CHECK(made);
  return state;
}

constexpr std::string_view kOwnKeyTitle = "weir stickiness key, version 1\n";

int SizeOf(std::span<const std::uint8_t> bytes) { return static_cast<int>(bytes.size()); }

}  // namespace

struct CookieCipher::Block {
  OwnedCipherState state;                        // AES-256-ECB
  std::array<std::uint8_t, kBlockBytes> mask{};  // K1 of CMAC (NIST SP 800-38B)

  void Encrypt(std::span<const std::uint8_t> in, std::uint8_t* out) const {
    int written = 0;
    WEIR_CHECK(EVP_EncryptUpdate(state.get(), out, &written, in.data(), SizeOf(in)) == 1 && written == SizeOf(in));
  }

  explicit Block(const CookieKey& key) : state(MakeState("AES-256-ECB", key.cipher_key.data(), 1)) {
    EVP_CIPHER_CTX_set_padding(state.get(), 0);
    constexpr std::array<std::uint8_t, kBlockBytes> kZero{};
    std::array<std::uint8_t, kBlockBytes> cipher_of_zero{};
    Encrypt(kZero, cipher_of_zero.data());
    unsigned carry = 0;
    for (std::size_t i = kBlockBytes; i-- > 0;) {
      mask[i] = static_cast<std::uint8_t>((unsigned{cipher_of_zero[i]} << 1U) | carry);
      carry = unsigned{cipher_of_zero[i]} >> 7U;
    }
    mask[kBlockBytes - 1] ^= static_cast<std::uint8_t>(carry * 0x87U);
  }
};

CookieKey CookieKey::From(std::span<const std::uint8_t, 32> secret) {
  CookieKey key;
  DeriveKey(secret, "weir stickiness name", key.name);
  DeriveKey(secret, "weir stickiness cipher", key.cipher_key);
  return key;
}

Result<CookieKey> ParseCookieKey(std::string_view text) {
  const auto secret = ParseKeySecret(text);
  if (!secret) return Failure("is not a stickiness key", "32 random bytes in base64: openssl rand -base64 32");
  return CookieKey::From(*secret);
}

std::string FormatOwnCookieKey(const KeySecret& secret) {
  return std::string(kOwnKeyTitle) + FormatKeySecret(secret) + '\n';
}

Result<KeySecret> ParseOwnCookieKey(std::string_view text) {
  const bool is_whole = text.starts_with(kOwnKeyTitle) && text.ends_with('\n');
  const auto secret = is_whole ? ParseKeySecret(text.substr(kOwnKeyTitle.size())) : std::nullopt;
  if (!secret) return Failure("does not hold a stickiness key");
  return *secret;
}

CookieCipher::CookieCipher(CookieKeySet keys)
    : keys_(std::move(keys)), seal_(MakeState("AES-256-GCM", nullptr, 1)), open_(MakeState("AES-256-GCM", nullptr, 0)) {
  WEIR_CHECK(!keys_.empty());
  blocks_.reserve(keys_.size());
  for (const CookieKey& key : keys_) blocks_.emplace_back(key);
}

CookieCipher::~CookieCipher() = default;

bool CookieCipher::Begin(evp_cipher_ctx_st* state, Block& block, Nonce nonce, std::string_view purpose) {
  // The two blocks of CMAC's input, each whole: a counter, the label `X`, the first half of the nonce.
  std::array<std::uint8_t, 2 * kBlockBytes> input{};
  for (std::size_t half = 0; half < 2; ++half) {
    std::uint8_t* const at = input.data() + half * kBlockBytes;
    at[1] = static_cast<std::uint8_t>(half + 1);
    at[2] = 'X';
    std::copy_n(nonce.begin(), 12, at + 4);
    for (std::size_t i = 0; i < kBlockBytes; ++i) at[i] ^= block.mask[i];
  }
  std::array<std::uint8_t, 2 * kBlockBytes> key{};
  block.Encrypt(input, key.data());
  int written = 0;
  return EVP_CipherInit_ex2(state, nullptr, key.data(), nonce.data() + 12, -1, nullptr) == 1 &&
         EVP_CipherUpdate(state, nullptr, &written, reinterpret_cast<const unsigned char*>(purpose.data()),
                          static_cast<int>(purpose.size())) == 1;
}

void CookieCipher::Seal(std::string_view purpose, std::span<const std::uint8_t> text, std::span<std::uint8_t> sealed) {
  WEIR_CHECK(sealed.size() == text.size() + kOverheadBytes);
  std::ranges::copy(keys_.front().name, sealed.begin());
  const auto nonce = sealed.subspan<kNameBytes, kNonceBytes>();
  const auto content = sealed.subspan(kNameBytes + kNonceBytes, text.size());
  int written = 0;
  WEIR_CHECK(RAND_bytes(nonce.data(), SizeOf(nonce)) == 1 && Begin(seal_.get(), blocks_.front(), nonce, purpose) &&
             EVP_EncryptUpdate(seal_.get(), content.data(), &written, text.data(), SizeOf(text)) == 1 &&
             EVP_EncryptFinal_ex(seal_.get(), content.data() + written, &written) == 1 &&
             EVP_CIPHER_CTX_ctrl(seal_.get(), EVP_CTRL_AEAD_GET_TAG, kTagBytes, sealed.last(kTagBytes).data()) == 1);
}

bool CookieCipher::Open(std::string_view purpose, std::span<const std::uint8_t> sealed, std::span<std::uint8_t> text) {
  if (sealed.size() != text.size() + kOverheadBytes) return false;
  const auto nonce = sealed.subspan<kNameBytes, kNonceBytes>();
  const auto content = sealed.subspan(kNameBytes + kNonceBytes, text.size());
  std::array<std::uint8_t, kTagBytes> tag{};
  std::ranges::copy(sealed.last(kTagBytes), tag.begin());
  for (std::size_t i = 0; i < keys_.size(); ++i) {
    if (!std::ranges::equal(keys_[i].name, sealed.first(kNameBytes))) continue;
    int written = 0;
    const bool opened = Begin(open_.get(), blocks_[i], nonce, purpose) &&
                        EVP_DecryptUpdate(open_.get(), text.data(), &written, content.data(), SizeOf(content)) == 1 &&
                        EVP_CIPHER_CTX_ctrl(open_.get(), EVP_CTRL_AEAD_SET_TAG, kTagBytes, tag.data()) == 1 &&
                        EVP_DecryptFinal_ex(open_.get(), text.data() + written, &written) == 1;
    if (opened) return true;
  }
  ERR_clear_error();
  return false;
}

}  // namespace weir::net
