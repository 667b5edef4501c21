package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"gongji/infra/demo"
)

// loadDemo feeds the demo region through the operators' doors. On a database that
// has it already nothing changes.
func loadDemo(ctx context.Context, house *client, n *narrator) error {
	operator, err := house.token(ctx, claims{Roles: []string{"operator"}})
	if err != nil {
		return err
	}
	var counts []string
	created := 0
	for _, feed := range demo.Feeds() {
		answer, err := house.call(ctx, request{method: "POST", path: feed.Path, token: operator, body: feed.Records}, nil)
		if err != nil {
			return fmt.Errorf("%s: %w", feed.Path, err)
		}
		records := 0
		for line := range strings.Lines(string(answer.body)) {
			var fed struct {
				Line   int
				Status int
				Result string
				Code   string
				Detail string
			}
			if err := json.Unmarshal([]byte(line), &fed); err != nil {
				return fmt.Errorf("%s: %w", feed.Path, err)
			}
			if fed.Status/100 != 2 {
				return fmt.Errorf("%s: record %d: %d %s %s", feed.Path, fed.Line, fed.Status, fed.Code, fed.Detail)
			}
			records++
			if fed.Result == "created" {
				created++
			}
		}
		counts = append(counts, fmt.Sprintf("%s %s %d", feed.NameZH, feed.NameEN, records))
	}
	n.text(strings.Join(counts, "  ·  ") + "\n")
	if created == 0 {
		n.say("这些数据上次已经载入，这次什么也没有改变。", "They were there from the last time; nothing changed.")
	}
	return nil
}
