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

// Empty, at `position`, when `value` names no file.
LocatedText PathOf(const Node* value, Position position, const std::vector<std::string>& files) {
  const Node* const file = FileNode(value);
  const Node* const text = file != nullptr ? file : value;
  if (text == nullptr || !text->is_scalar() || text->text.empty()) return {.text = {}, .position = position};
  return {.text = ResolvePath(text->text, FileOf(text->position, files)), .position = text->position};
}

}  // namespace

LocatedText DecodePath(const Fields& fields, std::string_view key, const std::vector<std::string>& files) {
  return PathOf(fields.node().Find(key), fields.PositionOf(key), files);
}

std::vector<LocatedText> DecodePaths(const Fields& fields, std::string_view key,
                                     const std::vector<std::string>& files) {
  std::vector<LocatedText> out;
  for (const Node& item : fields.List(key)) out.push_back(PathOf(&item, item.position, files));
  return out;
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
