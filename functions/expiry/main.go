// Command expiry is the Lambda function that EventBridge Scheduler calls: see
// onaws.Expiry for what it does and what it leaves to the clock.
package main

import "gongji/shared/onaws"

func main() { onaws.ServeExpiry() }
