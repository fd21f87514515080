#include "tests/proxy/actions/authenticate/fake_provider.h"

#include "base/base64.h"

namespace weir::proxy {

void FakeProvider::GiveTokens(std::string_view more, std::string_view nonce) const {
  std::string payload = R"({"iss":"https://id.test","aud":"weir","exp":4000000000,"sub":"user-1")";
  if (!nonce.empty()) payload += R"(,"nonce":")" + std::string(nonce) + '"';
  const std::string id_token = "e30." + EncodeBase64Url(payload + "}") + ".c2ln";
  Answer(200,
         R"({"access_token":"access-1","token_type":"Bearer","id_token":")" + id_token + '"' + std::string(more) + "}");
}

}  // namespace weir::proxy
