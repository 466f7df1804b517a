# ./dev fmt                                  clang-format over all C++ that git knows or would add
mapfile -t files < <(git ls-files --cached --others --exclude-standard '*.h' '*.cpp' | while read -r file; do [[ -f $file ]] && echo "$file"; done)
clang-format-19 -i "${files[@]}"
say "formatted ${#files[@]} files"
