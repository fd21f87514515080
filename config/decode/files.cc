// What a file names besides itself.

#include "config/decode/decode.h"
#include "config/document/sources.h"

namespace weir::config {
namespace {

// The scalar of a path or a secret: itself, or that of `{file: …}`.
const Node* FileNode(const Node* node) {
  if (node == nullptr || !node->is_map()) return nullptr;
  const Node* const file = node->Find("file");
  return file != nullptr && file->is_scalar() ? file : nullptr;
}

}  // namespace

LocatedText DecodePath(const Fields& fields, std::string_view key, const std::vector<std::string>& files) {
  const Node* const value = fields.node().Find(key);
  const Node* const file = FileNode(value);
  const Node* const text = file != nullptr ? file : fields.Scalar(key);
  if (text == nullptr || text->text.empty()) return {.text = {}, .position = fields.PositionOf(key)};
  return {.text = ResolvePath(text->text, FileOf(text->position, files)), .position = text->position};
}

std::optional<Secret> DecodeSecret(const Fields& fields, std::string_view key, const std::vector<std::string>& files) {
  if (!fields.Has(key)) return std::nullopt;
  if (const Node* const file = FileNode(fields.node().Find(key))) {
    return Secret{
        .text = {}, .file = ResolvePath(file->text, FileOf(file->position, files)), .position = file->position};
  }
  return Secret{.text = fields.Text(key), .file = {}, .position = fields.PositionOf(key)};
}

}  // namespace weir::config
