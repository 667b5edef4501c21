package gateway

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strings"

	"github.com/aws/aws-lambda-go/lambda"
)

// ServePages answers API Gateway's events with pages, which need neither the table nor
// the keys: only whose sign-in they use, under which client id, and to which origin
// they upload papers (empty: their own).
func ServePages(pages func(issuer, client, uploads string) (http.Handler, error)) {
	issuer, client, err := pagesEnv(os.Getenv)
	if err != nil {
		Fail(err)
	}
	handler, err := pages(issuer, client, os.Getenv("GONGJI_UPLOADS"))
	if err != nil {
		Fail(err)
	}
	Serve(handler, NewLog(os.Stdout))
}

// Serve answers API Gateway's events with a handler until the process ends. The Lambda
// library's own lines go to the log too.
func Serve(handler http.Handler, log *slog.Logger) {
	slog.SetDefault(log)
	lambda.Start(Handler(handler, log))
}

// Fail logs what keeps a function from starting, and ends the process.
func Fail(err error) {
	NewLog(os.Stdout).Error("cannot start", "error", err.Error())
	os.Exit(1)
}

// pagesEnv reads what the pages need of an environment. An issuer without TLS is taken
// only beside a DynamoDB Local, as everywhere.
func pagesEnv(getenv func(string) string) (issuer, client string, err error) {
	issuer, client = getenv("GONGJI_ISSUER"), getenv("GONGJI_WEB_CLIENT")
	var wrong []error
	for name, value := range map[string]string{"GONGJI_ISSUER": issuer, "GONGJI_WEB_CLIENT": client} {
		if value == "" {
			wrong = append(wrong, fmt.Errorf("gateway: %s is not set", name))
		}
	}
	if issuer != "" && !strings.HasPrefix(issuer, "https://") && getenv("AWS_ENDPOINT_URL_DYNAMODB") == "" {
		wrong = append(wrong, errors.New("gateway: GONGJI_ISSUER does not begin with https://"))
	}
	return issuer, client, errors.Join(wrong...)
}
