#pragma once

#include "base/ip_address.h"
#include "base/result.h"
#include "config/document/edit.h"
#include "config/document/node.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace weir::app {

// The document that a running appliance serves, as its admin API gives it. Thread: one.
struct LiveDocument {
  config::Tree tree;
  config::Node root;
  std::string etag;  // of the revision
};

// Blocks. Fails when nothing answers at `admin`, or no document.
[[nodiscard]] Result<std::unique_ptr<LiveDocument>> ReadLiveDocument(const Endpoint& admin);

// What became of an edit.
struct EditOutcome {
  enum class Kind {
    kDone,
    kWrong,    // it was refused for what it says: `findings`
    kMoved,    // another revision serves by now
    kRefused,  // the system, or somebody on the way, said no: `findings`
  } kind = Kind::kRefused;
  std::string revision;               // of kDone
  std::vector<std::string> findings;  // one line each
};

// Sends a JSON Patch for the revision of `etag`. Blocks. Fails when nothing answers.
[[nodiscard]] Result<EditOutcome> SendPatch(const Endpoint& admin, const std::string& patch, const std::string& etag);

}  // namespace weir::app
