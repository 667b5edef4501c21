# Builds the Lambda functions. SAM calls one target for each, build-BindingFunction
# and so on, and says in ARTIFACTS_DIR where the program goes; the folder's name is
# the logical id's, in small letters. GOARCH=amd64 in the environment builds for the
# template's Architecture x86_64.

LAMBDA_BUILD = CGO_ENABLED=0 GOOS=linux go build -trimpath -tags lambda.norpc -ldflags '-s -w'

build-%Function:
	GOARCH=$${GOARCH:-arm64} $(LAMBDA_BUILD) -o '$(ARTIFACTS_DIR)/bootstrap' ./functions/$(shell echo '$*' | tr A-Z a-z)
