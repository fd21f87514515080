#include "base/arn.h"

namespace weir {
namespace {

constexpr std::size_t kFixedBytesMax = 128;  // of an ARN, its names aside

}  // namespace

std::uint64_t HashOfName(std::string_view name) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  return hash;
}

void PutTargetGroupArn(TextWriter& out, std::string_view group, std::string_view region) {
  out.Put("arn:aws:elasticloadbalancing:");
  out.Put(region.empty() ? std::string_view("local") : region);
  out.Put(':');
  out.Put(kArnAccount);
  out.Put(":targetgroup/");
  out.Put(group);
  out.Put('/');
  out.PutHex(HashOfName(group), 16);
}

std::string TargetGroupArn(std::string_view group, std::string_view region) {
  std::string out;
  AppendWith(out, kFixedBytesMax + group.size() + region.size(),
             [&](TextWriter& text) { PutTargetGroupArn(text, group, region); });
  return out;
}

}  // namespace weir
