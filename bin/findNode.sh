# Sourced with $root set to the checkout. Sets $node to the Node that the project brings along, or says what is missing and exits.

case "$(uname -s) $(uname -m)" in
  'Linux x86_64') platform=linux-x64 ;;
  'Linux aarch64' | 'Linux arm64') platform=linux-arm64 ;;
  'Darwin arm64') platform=darwin-arm64 ;;
  'Darwin x86_64') platform=darwin-x64 ;;
  *)
    echo "holdfast: no Node is packaged for $(uname -s) on $(uname -m); Linux and macOS on x64 or arm64 are supported." >&2
    exit 1
    ;;
esac

node=$root/node_modules/node-$platform/bin/node
if [ ! -x "$node" ]; then
  echo "holdfast: its own Node is missing: no node_modules/node-$platform in $root" >&2
  echo "It is an optional dependency. Run \"npm ci\" in that folder, without --omit=optional or --no-optional," >&2
  echo "on the kind of machine where holdfast will run." >&2
  exit 1
fi
