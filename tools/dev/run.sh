# ./dev run [ARGUMENT…]                      build the release preset and run puna with these arguments
./dev build release
exec build/puna "$@"
