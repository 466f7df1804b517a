// Which format a file has, and where in it the rows are.
#pragma once

#include <optional>
#include <string>

#include "dataset/scan.h"

namespace puna::dataset {

struct FormatOptions {
  std::optional<wire::DatasetFormat> format;  // absent: by the name's ending and the first bytes
  std::optional<std::string> rows_member;     // of a JSON object, when several could hold the rows
  TextDocuments documents = TextDocuments::blank_lines;
  std::filesystem::path folder;  // for what is written anew
};

// May write the file anew: nested SQuAD (data, paragraphs, qas) becomes one row a question. What was found out without being told, and
// is not plain from the name, is said in `notes`.
[[nodiscard]] Result<Layout> find_layout(SourceFile& file, const FormatOptions& format, const ScanOptions& scan,
                                         std::vector<std::string>& notes);

// Nested SQuAD in the array `layout.rows_member`, as flat rows in the file's place.
[[nodiscard]] Result<Layout> flatten_squad(SourceFile& file, const Layout& layout, const FormatOptions& format, const ScanOptions& scan);
// Whether an element of `data` is an article with paragraphs.
[[nodiscard]] bool is_squad_article(const json::object& element);

}  // namespace puna::dataset
