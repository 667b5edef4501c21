package family

// What tests of this package need from inside.
var (
	AgeOn      = ageOn
	CheckDigit = checkDigit
)
