#include "proxy/routing/transforms.h"

#include "http/target.h"
#include "proxy/routing/text_pattern.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <cstddef>
#include <utility>

namespace weir::proxy {

// An expression, and what stands for what it matches.
struct CompiledRewrite {
  // A text, or what a group captured.
  struct Piece {
    std::string text;
    std::optional<std::size_t> group = std::nullopt;
  };
  CompiledRewrite(const config::Transform& transform, const re2::RE2::Options& options)
      : regex_text(transform.regex.text), replace_text(transform.replace.text), expression(regex_text, options) {}

  std::string regex_text;
  std::string replace_text;
  re2::RE2 expression;
  std::vector<Piece> pieces;
  std::size_t groups = 0;  // the highest that a piece names
};

namespace {

constexpr std::int64_t kTransformRegexBytesMax = 1 << 20;
// RE2's own limit for captures that can be named by a digit.
constexpr std::size_t kGroupsMax = 9;

re2::RE2::Options RegexOptions(config::TransformKind kind) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_case_sensitive(kind == config::TransformKind::kUrlRewrite);
  options.set_max_mem(kTransformRegexBytesMax);
  return options;
}

// `$0` to `$9` are what was captured; every other dollar is itself.
void ReadPieces(CompiledRewrite& rewrite) {
  const std::string_view text = rewrite.replace_text;
  std::string literal;
  const auto flush = [&] {
    if (!literal.empty()) rewrite.pieces.push_back({std::exchange(literal, {})});
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool is_group = text[i] == '$' && i + 1 < text.size() && text[i + 1] >= '0' && text[i + 1] <= '9';
    if (!is_group) {
      literal += text[i];
      continue;
    }
    flush();
    const auto group = static_cast<std::size_t>(text[++i] - '0');
    rewrite.pieces.push_back({.text = {}, .group = group});
    rewrite.groups = std::max(rewrite.groups, group);
  }
  flush();
}

std::size_t GroupsOf(const re2::RE2& expression) {
  return static_cast<std::size_t>(expression.NumberOfCapturingGroups());
}

// kNone: nothing matches.
TransformStatus Replace(const CompiledRewrite& rewrite, std::string_view subject, std::string& out) {
  if (!IsVisibleAscii(subject)) return TransformStatus::kNone;
  std::array<re2::StringPiece, kGroupsMax + 1> captured;
  const std::size_t known = std::min(GroupsOf(rewrite.expression), kGroupsMax);
  const re2::StringPiece text(subject.data(), subject.size());
  if (!rewrite.expression.Match(text, 0, subject.size(), re2::RE2::UNANCHORED, captured.data(),
                                static_cast<int>(known) + 1)) {
    return TransformStatus::kNone;
  }
  if (rewrite.groups > known) return TransformStatus::kReplaceError;
  const auto begin = static_cast<std::size_t>(captured[0].data() - subject.data());
  out = subject.substr(0, begin);
  for (const CompiledRewrite::Piece& piece : rewrite.pieces) {
    if (piece.group) {
      // A group that took no part captured nothing.
      out.append(captured[*piece.group].data(), captured[*piece.group].size());
    } else {
      out += piece.text;
    }
    if (out.size() > kTransformedBytesMax) return TransformStatus::kBufferTooSmall;
  }
  out += subject.substr(begin + captured[0].size());
  return out.size() > kTransformedBytesMax ? TransformStatus::kBufferTooSmall : TransformStatus::kSuccess;
}

bool IsHost(const std::string& text) { return http::ParseHostPort(text).has_value(); }

// What may stand in a request line: no byte that ends the target, or the line (RFC 9112 section 3.2).
bool IsOriginForm(const std::string& text) {
  return text.starts_with('/') && std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7F && c != '#'; });
}

constexpr std::string_view KeyOf(config::TransformKind kind) {
  return kind == config::TransformKind::kUrlRewrite ? "url-rewrite" : "host-header-rewrite";
}

}  // namespace

std::string_view ToString(TransformStatus status) {
  switch (status) {
    case TransformStatus::kNone:
      return {};
    case TransformStatus::kSuccess:
      return "TransformSuccess";
    case TransformStatus::kBufferTooSmall:
      return "TransformBufferTooSmall";
    case TransformStatus::kInvalidHost:
      return "TransformInvalidHost";
    case TransformStatus::kInvalidPath:
      return "TransformInvalidPath";
    case TransformStatus::kReplaceError:
      return "TransformReplaceError";
  }
  std::unreachable();
}

RequestTransforms::RequestTransforms() = default;
RequestTransforms::~RequestTransforms() = default;

std::shared_ptr<const RequestTransforms> RequestTransforms::Build(std::span<const config::Transform> transforms,
                                                                  const std::string& path,
                                                                  std::vector<config::Diagnostic>& findings) {
  auto out = std::make_shared<RequestTransforms>();
  bool right = true;
  for (std::size_t i = 0; i < transforms.size(); ++i) {
    const config::Transform& transform = transforms[i];
    auto rewrite = std::make_unique<CompiledRewrite>(transform, RegexOptions(transform.kind));
    const auto place = [&](std::string_view key) {
      return fmt::format("{}[{}].{}.{}", path, i, KeyOf(transform.kind), key);
    };
    if (!rewrite->expression.ok()) {
      findings.push_back({.severity = config::Severity::kError,
                          .position = transform.regex.position,
                          .path = place("regex"),
                          .message = fmt::format("the regular expression \"{}\" is not valid: {}", transform.regex.text,
                                                 rewrite->expression.error()),
                          .hint = std::string(kRegexDialectHint)});
      right = false;
      continue;
    }
    ReadPieces(*rewrite);
    if (const std::size_t groups = GroupsOf(rewrite->expression); rewrite->groups > groups) {
      findings.push_back(
          {.severity = config::Severity::kWarning,
           .position = transform.replace.position,
           .path = place("replace"),
           .message = fmt::format("${} stands for nothing: the expression captures {} groups", rewrite->groups, groups),
           .hint = "a request that it matches is answered 500 (TransformReplaceError)"});
    }
    out->rewrites_[std::to_underlying(transform.kind)] = std::move(rewrite);
  }
  if (!right) return nullptr;
  return out;
}

TransformStatus RequestTransforms::Apply(std::string_view host, std::string_view path,
                                         std::optional<std::string_view> query, TransformedRequest& out) const {
  out.host.clear();
  out.target.clear();
  TransformStatus status = TransformStatus::kNone;
  const auto fail = [&out](TransformStatus why) {
    out.host.clear();
    out.target.clear();
    return why;
  };
  if (const auto& rewrite = rewrites_[std::to_underlying(config::TransformKind::kHostHeaderRewrite)];
      rewrite != nullptr && !host.empty()) {
    const TransformStatus replaced = Replace(*rewrite, host, out.host);
    if (replaced > TransformStatus::kSuccess) return fail(replaced);
    if (replaced == TransformStatus::kSuccess) {
      if (!IsHost(out.host)) return fail(TransformStatus::kInvalidHost);
      status = replaced;
    }
  }
  if (const auto& rewrite = rewrites_[std::to_underlying(config::TransformKind::kUrlRewrite)];
      rewrite != nullptr && path.starts_with('/')) {  // `*` is no URL
    std::string url(path);
    if (query) (url += '?') += *query;
    const TransformStatus replaced = Replace(*rewrite, url, out.target);
    if (replaced > TransformStatus::kSuccess) return fail(replaced);
    if (replaced == TransformStatus::kSuccess) {
      if (!IsOriginForm(out.target)) return fail(TransformStatus::kInvalidPath);
      status = replaced;
    }
  }
  return status;
}

bool RequestTransforms::IsOf(std::span<const config::Transform> transforms) const {
  const auto count = std::ranges::count_if(rewrites_, [](const auto& rewrite) { return rewrite != nullptr; });
  return static_cast<std::size_t>(count) == transforms.size() &&
         std::ranges::all_of(transforms, [this](const config::Transform& transform) {
           const auto& rewrite = rewrites_[std::to_underlying(transform.kind)];
           return rewrite != nullptr && rewrite->regex_text == transform.regex.text &&
                  rewrite->replace_text == transform.replace.text;
         });
}

}  // namespace weir::proxy
