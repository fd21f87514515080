// spec: alb.md 6.

#include "proxy/routing/transforms.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::proxy {
namespace {

using config::TransformKind;

config::Transform Make(TransformKind kind, std::string_view regex, std::string_view replace) {
  config::Transform out;
  out.kind = kind;
  out.regex.text = regex;
  out.replace.text = replace;
  return out;
}

struct Case {
  const char* name;
  TransformKind kind;
  const char* regex;
  const char* replace;
  const char* subject;  // host, or path and query
  TransformStatus status;
  const char* result = "";
};
void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

class TransformsTest : public ::testing::TestWithParam<Case> {};

TEST_P(TransformsTest, ReplacesWhatMatches) {
  const Case& c = GetParam();
  std::vector<config::Diagnostic> findings;
  const auto transforms = RequestTransforms::Build({{Make(c.kind, c.regex, c.replace)}}, "t", findings);
  ASSERT_NE(transforms, nullptr);
  const bool is_host = c.kind == TransformKind::kHostHeaderRewrite;
  const std::string_view url = is_host ? "/" : c.subject;
  const auto mark = url.find('?');
  TransformedRequest out{.host = "old", .target = "old"};
  const TransformStatus status =
      transforms->Apply(is_host ? c.subject : "shop.test", url.substr(0, mark),
                        mark == std::string_view::npos ? std::nullopt : std::optional(url.substr(mark + 1)), out);
  EXPECT_EQ(ToString(status), ToString(c.status));
  EXPECT_EQ(is_host ? out.host : out.target, c.result);
  EXPECT_EQ(is_host ? out.target : out.host, "");
}

constexpr auto kUrl = TransformKind::kUrlRewrite;
constexpr auto kHost = TransformKind::kHostHeaderRewrite;
constexpr auto kSuccess = TransformStatus::kSuccess;
constexpr auto kNone = TransformStatus::kNone;

INSTANTIATE_TEST_SUITE_P(
    All, TransformsTest,
    ::testing::Values(
        Case{"Capture", kUrl, "^/v1/(.*)$", "/$1", "/v1/cart?x=1", kSuccess, "/cart?x=1"},
        Case{"PathIntoQuery", kUrl, "^/dp/([A-Z0-9]+)$", "/product?id=$1", "/dp/B09", kSuccess, "/product?id=B09"},
        Case{"QueryIsPartOfIt", kUrl, "/dp/([A-Z0-9]+)$", "/x", "/dp/B09?a", kNone},
        Case{"FirstMatchOnly", kUrl, "a", "b", "/aa", kSuccess, "/ba"},
        Case{"CaseCounts", kUrl, "^/A$", "/b", "/a", kNone},
        Case{"WholeMatch", kUrl, "^/x.*$", "/y$0", "/xz", kSuccess, "/y/xz"},
        Case{"OtherDollars", kUrl, "^/x$", "/$$a$", "/x", kSuccess, "/$$a$"},
        Case{"GroupWithoutPart", kUrl, "^/x(a)?$", "/y$1", "/x", kSuccess, "/y"},
        Case{"NoSuchGroup", kUrl, "^/x$", "/$1", "/x", TransformStatus::kReplaceError},
        Case{"NoSuchGroupNoMatch", kUrl, "^/x$", "/$1", "/y", kNone},
        Case{"NoPath", kUrl, "^/x", "x", "/x", TransformStatus::kInvalidPath},
        Case{"EmptyPath", kUrl, ".*", "", "/x", TransformStatus::kInvalidPath},
        Case{"SpaceInPath", kUrl, "x", "a b", "/x", TransformStatus::kInvalidPath},
        Case{"Fragment", kUrl, "x", "#", "/x", TransformStatus::kInvalidPath},
        Case{"LineEnd", kUrl, "x", "\r\nX: y", "/x", TransformStatus::kInvalidPath},
        Case{"NotAscii", kUrl, "x", "y", "/x\xC3\xA4", kNone}, Case{"Asterisk", kUrl, ".", "/", "*", kNone},
        Case{"Host", kHost, "^(.*)\\.example\\.com$", "$1.internal", "shop.EXAMPLE.com", kSuccess, "shop.internal"},
        Case{"HostWithPort", kHost, "^.*$", "internal:8080", "shop.test", kSuccess, "internal:8080"},
        Case{"NoHost", kHost, "shop", "sh op", "shop.test", TransformStatus::kInvalidHost},
        Case{"EmptyHost", kHost, "^.*$", "", "shop.test", TransformStatus::kInvalidHost},
        Case{"WithoutHost", kHost, "^.*$", "x", "", kNone}),
    [](const auto& param) { return std::string(param.param.name); });

TEST(RequestTransformsTest, TakesNoMoreThanARequestLineHolds) {
  std::vector<config::Diagnostic> findings;
  const auto transforms = RequestTransforms::Build({{Make(kUrl, "^/(.*)$", "/$1$1$1")}}, "t", findings);
  ASSERT_NE(transforms, nullptr);
  TransformedRequest out;
  const std::string fits = "/" + std::string((kTransformedBytesMax - 1) / 3, 'x');
  EXPECT_EQ(transforms->Apply("h", fits, std::nullopt, out), TransformStatus::kSuccess);
  EXPECT_EQ(out.target.size(), kTransformedBytesMax);
  EXPECT_EQ(transforms->Apply("h", fits + "x", std::nullopt, out), TransformStatus::kBufferTooSmall);
  EXPECT_EQ(out.target, "");
}

TEST(RequestTransformsTest, DoesBothOrNeither) {
  std::vector<config::Diagnostic> findings;
  const auto transforms =
      RequestTransforms::Build({{Make(kUrl, "^/x", ""), Make(kHost, "shop", "store")}}, "t", findings);
  ASSERT_NE(transforms, nullptr);
  TransformedRequest out;
  EXPECT_EQ(transforms->Apply("shop.test", "/x/y", std::nullopt, out), TransformStatus::kSuccess);
  EXPECT_EQ(out.host + out.target, "store.test/y");
  EXPECT_EQ(transforms->Apply("shop.test", "/xy", std::nullopt, out), TransformStatus::kInvalidPath);
  EXPECT_EQ(out.host + out.target, "");
}

TEST(RequestTransformsTest, KnowsWhatItWasBuiltOf) {
  std::vector<config::Diagnostic> findings;
  const std::vector<config::Transform> both = {Make(kUrl, "a", "b"), Make(kHost, "c", "d")};
  const auto transforms = RequestTransforms::Build(both, "t", findings);
  ASSERT_NE(transforms, nullptr);
  EXPECT_TRUE(transforms->IsOf(both));
  EXPECT_FALSE(transforms->IsOf({{both[0]}}));
  EXPECT_FALSE(transforms->IsOf({{both[0], Make(kHost, "c", "e")}}));
}

TEST(RequestTransformsTest, ReportsWhatCannotWork) {
  std::vector<config::Diagnostic> findings;
  EXPECT_EQ(RequestTransforms::Build({{Make(kUrl, "(", "x")}}, "rules[0].transforms", findings), nullptr);
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].severity, config::Severity::kError);
  EXPECT_EQ(findings[0].path, "rules[0].transforms[0].url-rewrite.regex");
  findings.clear();
  EXPECT_NE(RequestTransforms::Build({{Make(kHost, "(a)", "$2")}}, "t", findings), nullptr);
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].severity, config::Severity::kWarning);
  EXPECT_EQ(findings[0].message, "$2 stands for nothing: the expression captures 1 groups");
}

}  // namespace
}  // namespace weir::proxy
