#!/bin/sh
# Validates template.yaml as the SAM CLI and CloudFormation's linter do, for a global
# region and both of China's, and holds checkov's security rules against it
# (infra/checkov.yaml says which not, and why):
#
#   infra/lint-template.sh            validate and lint
#   infra/lint-template.sh --build    and build every function as `sam deploy` takes it
#
# Needs Python 3.10 or newer with venv; --build also Go and make. The tools come from
# PyPI, at the versions below, into .cache (ignored by git), once. No AWS account and
# no container engine is needed.
set -eu

sam_cli=1.170.0
cfn_lint=1.58.0
checkov=3.3.30
regions='us-east-1 cn-north-1 cn-northwest-1'

cd "$(dirname "$0")/.."
case ${1-} in
'' | --build) ;;
*)
	sed -n '2,/^set/{/^#/s/^# \{0,1\}//p;}' "$0" >&2
	exit 2
	;;
esac

# fetch installs packages of PyPI into a virtual environment of their own, once.
fetch() {
	folder=$1
	shift
	if [ ! -f "$folder/done" ]; then
		mkdir -p .cache
		[ -f .cache/.gitignore ] || echo '*' >.cache/.gitignore
		rm -rf "$folder"
		python3 -m venv "$folder"
		echo "lint-template: fetching $* (about 300 MB, once)" >&2
		"$folder/bin/pip" install --quiet --retries 8 "$@"
		touch "$folder/done" # the last step: what was cut short is begun anew
	fi
}
venv=$PWD/.cache/sam-cli-$sam_cli-$cfn_lint
fetch "$venv" "aws-sam-cli==$sam_cli" "cfn-lint==$cfn_lint"
checkov_venv=$PWD/.cache/checkov-$checkov # its dependencies are at odds with the SAM CLI's
fetch "$checkov_venv" "checkov==$checkov"

# No call home, and no credentials: what is checked here is the file.
export SAM_CLI_TELEMETRY=0 AWS_EC2_METADATA_DISABLED=true
for region in $regions; do
	echo "== sam validate, $region"
	AWS_DEFAULT_REGION=$region "$venv/bin/sam" validate --lint --template-file template.yaml
done
echo "== cfn-lint, $regions"
# shellcheck disable=SC2086 # one word for each region
"$venv/bin/cfn-lint" --non-zero-exit-code warning --template template.yaml --regions $regions
echo "== checkov"
"$checkov_venv/bin/checkov" --config-file infra/checkov.yaml --file template.yaml
if [ "${1-}" = --build ]; then
	echo "== sam build"
	AWS_DEFAULT_REGION=us-east-1 "$venv/bin/sam" build --template-file template.yaml
fi
echo "template.yaml: sound in $regions"
