package onaws

import (
	"errors"
	"fmt"
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
		fail(err)
	}
	handler, err := pages(issuer, client, os.Getenv("GONGJI_UPLOADS"))
	if err != nil {
		fail(err)
	}
	lambda.Start(Handler(handler, newLog(os.Stdout)))
}

// pagesEnv reads what the pages need of an environment. An issuer without TLS is taken
// only beside a DynamoDB Local, as everywhere.
func pagesEnv(getenv func(string) string) (issuer, client string, err error) {
	issuer, client = getenv("GONGJI_ISSUER"), getenv("GONGJI_WEB_CLIENT")
	var wrong []error
	for name, value := range map[string]string{"GONGJI_ISSUER": issuer, "GONGJI_WEB_CLIENT": client} {
		if value == "" {
			wrong = append(wrong, fmt.Errorf("onaws: %s is not set", name))
		}
	}
	if issuer != "" && !strings.HasPrefix(issuer, "https://") && getenv("AWS_ENDPOINT_URL_DYNAMODB") == "" {
		wrong = append(wrong, errors.New("onaws: GONGJI_ISSUER does not begin with https://"))
	}
	return issuer, client, errors.Join(wrong...)
}
