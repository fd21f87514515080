#include "http/form_urlencoded.h"

#include <gtest/gtest.h>

#include <string>

namespace weir::http {
namespace {

TEST(FormUrlencodedTest, FieldsAreAppendedEncoded) {
  std::string url = "https://id.test/authorize?";
  AppendFormField(url, "redirect_uri", "https://a.test:8443/oauth2/idpresponse");
  AppendFormField(url, "scope", "openid e-mail_~.");
  EXPECT_EQ(url,
            "https://id.test/authorize?redirect_uri=https%3A%2F%2Fa.test%3A8443%2Foauth2%2Fidpresponse"
            "&scope=openid%20e-mail_~.");
  std::string form;
  AppendFormField(form, "a", "\xc3\xa4+&=%\n");
  EXPECT_EQ(form, "a=%C3%A4%2B%26%3D%25%0A");
}

TEST(FormUrlencodedTest, TheFirstFieldOfANameIsFound) {
  EXPECT_EQ(FindFormField("a=1&code=x%2By+z&code=2", "code"), "x+y z");
  EXPECT_EQ(FindFormField("code", "code"), "");
  EXPECT_EQ(FindFormField("code=a=b", "code"), "a=b");
  EXPECT_EQ(FindFormField("c%6Fde=1", "code"), "1");
  EXPECT_EQ(FindFormField("xcode=1&", "code"), std::nullopt);
  EXPECT_EQ(FindFormField("", "code"), std::nullopt);
  EXPECT_EQ(FindFormField("code=%zz%4", "code"), "%zz%4");
}

}  // namespace
}  // namespace weir::http
