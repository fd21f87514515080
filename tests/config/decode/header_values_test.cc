// Fields that a listener sets on its responses; spec: alb.md 3.

#include "tests/config/load_text.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace weir::config {
namespace {

std::string Text(std::string_view field, std::string_view value) {
  return std::string("load-balancers: [{name: a, listeners: [{port: 80, attributes: {routing.http.response.")
      .append(field)
      .append(".header_value: \"")
      .append(value)
      .append("\"}, default-actions: [{fixed-response: {status-code: 200}}]}]}]\n");
}

struct HeaderValuesCase {
  const char* name;
  std::string text;
  const char* finding;
};
void PrintTo(const HeaderValuesCase& c, std::ostream* out) { *out << c.name; }
class HeaderValuesTest : public ::testing::TestWithParam<HeaderValuesCase> {};

TEST_P(HeaderValuesTest, IsReported) {
  const std::string found = FindingsOf(GetParam().text);
  EXPECT_NE(found.find(GetParam().finding), std::string::npos) << found;
  EXPECT_FALSE(LoadFor(GetParam().text).model);
}

INSTANTIATE_TEST_SUITE_P(
    All, HeaderValuesTest,
    ::testing::Values(HeaderValuesCase{"LongValue", Text("content_security_policy", std::string(1025, 'x')),
                                       "the value of Content-Security-Policy is longer than 1024 bytes"},
                      HeaderValuesCase{"Control", Text("strict_transport_security", "a\\tb"),
                                       "holds a character that cannot be sent"},
                      HeaderValuesCase{"Latin", Text("access_control_allow_origin", "h\xC3\xA9"),
                                       "holds a character that cannot be sent"},
                      HeaderValuesCase{"NoSniff", Text("x_content_type_options", "sniff"),
                                       "X-Content-Type-Options cannot be `sniff`; nosniff"},
                      HeaderValuesCase{"Frame", Text("x_frame_options", "ALLOWALL"),
                                       "X-Frame-Options cannot be `ALLOWALL`; DENY, SAMEORIGIN or ALLOW-FROM URI"}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(HeaderValuesTest, EveryFieldOfTheTableIsSet) {
  struct Row {
    const char* key;
    const char* field;
    const char* value;
  };
  for (const Row& row : {Row{"strict_transport_security", "Strict-Transport-Security", "max-age=60"},
                         Row{"access_control_allow_origin", "Access-Control-Allow-Origin", "*"},
                         Row{"access_control_allow_methods", "Access-Control-Allow-Methods", "GET, PUT"},
                         Row{"access_control_allow_headers", "Access-Control-Allow-Headers", "X-A"},
                         Row{"access_control_allow_credentials", "Access-Control-Allow-Credentials", "true"},
                         Row{"access_control_expose_headers", "Access-Control-Expose-Headers", "X-B"},
                         Row{"access_control_max_age", "Access-Control-Max-Age", "600"},
                         Row{"content_security_policy", "Content-Security-Policy", "default-src 'self'"},
                         Row{"x_content_type_options", "X-Content-Type-Options", "nosniff"},
                         Row{"x_frame_options", "X-Frame-Options", "ALLOW-FROM https://a.test"}}) {
    const auto loaded = LoadFor(Text(row.key, row.value));
    ASSERT_TRUE(loaded.model) << loaded.diagnostics.FormatAll();
    const auto& fields = loaded.model->load_balancers[0].listeners[0].attributes.response_fields;
    ASSERT_EQ(fields.size(), 1U) << row.key;
    EXPECT_EQ(fields[0].first, row.field);
    EXPECT_EQ(fields[0].second, row.value);
  }
  EXPECT_TRUE(LoadFor(Text("content_security_policy", std::string(1024, 'x'))).model);
}

}  // namespace
}  // namespace weir::config
