#pragma once

#include "config/model.h"
#include "proxy/tls/credential_store.h"
#include "tests/app/temporary_folder.h"
#include "tests/support/tls_server.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace weir::proxy {

// A model whose certificates are files of a folder, and what is found when they are loaded.
class TlsFixture : public ::testing::Test {
 protected:
  using Made = weir::testing::Certificate;

  // NAME.pem and NAME.key, as deployments replace them. Gives the two with places at lines 2 and 3.
  config::CertificateFiles Write(const Made& made, const std::string& name = "shop") {
    folder_.Replace(name + ".pem", made.Pem());
    folder_.Replace(name + ".key", made.KeyPem());
    return {.certificate = {.text = folder_.Path(name + ".pem"), .position = {0, 2, 1}},
            .key = {.text = folder_.Path(name + ".key"), .position = {0, 3, 1}},
            .passphrase = std::nullopt};
  }
  // Each finding as `warning 2 what is wrong`.
  [[nodiscard]] std::vector<std::string> Messages() const {
    std::vector<std::string> texts;
    for (const auto& finding : findings_) {
      texts.push_back((finding.severity == config::Severity::kError ? "error " : "warning ") +
                      std::to_string(finding.position.line) + " " + finding.message);
    }
    return texts;
  }

  app::TemporaryFolder folder_;
  config::Model model_;
  TlsCredentialStore store_;
  std::vector<config::Diagnostic> findings_;
};

}  // namespace weir::proxy
