#pragma once

// Writes an answer that was gathered as RRsets: the one place where they become bytes.

#include "dns/edns.h"
#include "dns/rrset.h"
#include "dns/wire/name.h"
#include "dns/wire/query.h"
#include "dns/wire/types.h"
#include "dns/wire/writer.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace weir::dns {

// One response on its way into a caller's buffer. Thread: worker.
class AnswerWriter {
 public:
  // `out` is as large as the transport and the client allow, and holds 512 bytes. Room for OPT and TSIG at the end of
  // the message is set aside; `name_server_id` is what EdnsAnswer will say. `query` outlives the object.
  AnswerWriter(const Query& query, std::span<std::uint8_t> out, std::string_view name_server_id)
      : query_(query),
        writer_(out, query.has_edns || query.signature ? RecordLimit(out.size(), name_server_id) : out.size()) {}

  // The header, with `flags` as its bytes 2 and 3.
  void PutHeader(std::uint16_t flags) { writer_.PutHeader(query_.id, flags); }
  // The question of the query, whose name is `name`.
  void PutQuestion(const HashedName& name) {
    if (!writer_.PutQuestion(query_.question, name)) truncated_ = true;
    after_question_ = writer_.mark();
  }
  // Where the message has the part of the question's name that begins `offset` bytes into it: an owner there is pointed
  // to.
  [[nodiscard]] static std::uint16_t QuestionNameAt(std::size_t offset) {
    return static_cast<std::uint16_t>(kHeaderBytes + offset);
  }

  // Writes what is gathered, section by section, and empties `sections`. May be called again with more additional
  // records. False: some had no room, and gathering more is in vain. The message then has no record and TC (RFC 2181
  // section 9), or, where the additional records are not needed, none of those.
  bool Put(AnswerSections& sections);
  // The records at the end: OPT, and why a signature was refused (RFC 8945 5.2.1).
  void PutEnd(const EdnsAnswer& edns);
  // Writes the counts; `flags` are or-ed into those of the header. Returns the message's size.
  [[nodiscard]] std::size_t Finish(std::uint16_t flags, Rcode rcode);

  [[nodiscard]] std::uint16_t answer_count() const { return writer_.count(Section::kAnswer); }
  [[nodiscard]] bool truncated() const { return truncated_; }

 private:
  // How far records may reach in `size_max` bytes.
  [[nodiscard]] std::size_t RecordLimit(std::size_t size_max, std::string_view name_server_id) const;
  [[nodiscard]] bool PutSection(Section section, std::span<const Rrset> rrsets);
  [[nodiscard]] bool PutRrset(Section section, const Rrset& rrset);
  void Truncate();
  void PutSignatureError();

  const Query& query_;
  MessageWriter writer_;
  MessageWriter::Mark after_question_;
  MessageWriter::Mark before_additional_;
  bool truncated_ = false;
  bool no_more_ = false;           // additional records were left out
  bool needs_additional_ = false;  // a part of them was said to be needed
};

}  // namespace weir::dns
