# Sourced with $root set to the checkout. Sets $node to the Node that the project brings along, or says what is missing and exits.

case "$(uname -s) $(uname -m)" in
  'Linux x86_64') platform=linux-x64 ;;
  'Linux aarch64' | 'Linux arm64') platform=linux-arm64 ;;
  *) platform= ;;
esac

if [ -n "$platform" ]; then
  node=$root/node_modules/node-$platform/bin/node
  if [ ! -x "$node" ]; then
    echo "holdfast: its own Node is missing: no node_modules/node-$platform in $root" >&2
    echo "It is an optional dependency. Run \"npm ci\" in that folder, without --omit=optional or --no-optional," >&2
    echo "on the kind of machine where holdfast will run." >&2
    exit 1
  fi
else
  # No package brings this version for other platforms (docs/decisions/0001-runtime.md): the machine's own Node has to do.
  node=$(command -v node) || node=
  if [ -z "$node" ] || ! "$node" -e 'process.exit(Number(process.versions.node.split(".")[0]) < 24 ? 1 : 0)'; then
    echo "holdfast: on $(uname -s) $(uname -m) it needs Node 24 or newer in PATH; a Node of its own comes for Linux on x64 and arm64 only." >&2
    exit 1
  fi
fi
