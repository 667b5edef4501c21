package town

// Sometimes are what a campaign has to reach.
var Sometimes = []string{}
