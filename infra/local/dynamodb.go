package main

import (
	"cmp"
	"context"
	"os"

	"gongji/shared/store/dynamo"
)

// openDynamoDB opens the table that GONGJI_TABLE names, "gongji" by default. In a
// DynamoDB Local it is made when it is not there; in an account it belongs to the
// deployment.
func openDynamoDB(ctx context.Context, where string) (*state, error) {
	o, err := dynamoOptions(where)
	if err != nil {
		return nil, err
	}
	s := dynamo.New(o)
	if where != "aws" {
		if err := s.CreateTable(ctx); err != nil {
			return nil, err
		}
	}
	return &state{store: s, name: "DynamoDB " + o.Table, close: func() error { return nil }}, nil
}

func dynamoOptions(where string) (o dynamo.Options, err error) {
	if where == "aws" {
		o, err = dynamo.FromEnv(os.Getenv)
	} else { // a DynamoDB Local takes any credentials, and lets none in without
		o = dynamo.Options{Region: "local", Endpoint: where, Credentials: dynamo.StaticCredentials("local", "local", "")}
	}
	o.Table = cmp.Or(os.Getenv("GONGJI_TABLE"), "gongji")
	return o, err
}
