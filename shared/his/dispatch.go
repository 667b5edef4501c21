package his

// transaction carries out one transaction of the interface and returns its output.
type transaction func(*call) (any, error)

// transactions are all that are offered, by number (infno).
var transactions map[string]transaction

func init() { // not a literal: some look up others
	transactions = map[string]transaction{
		"9001":  signIn,
		"9002":  signOut,
		"1101":  person,
		"1201":  institution,
		"1162":  localQRCode,
		"6101":  decodeQR,
		"2001":  entitlement,
		"2101":  preSettle((*call).purchase),
		"2102":  settle((*call).purchase),
		"2103":  giveBack,
		"2201":  register,
		"2202":  cancelVisit,
		"2203":  describe,
		"2203A": describe,
		"2204":  charge,
		"2205":  uncharge,
		"2301":  charge,
		"2302":  uncharge,
		"2303":  preSettle((*call).visitBill),
		"2304":  settle((*call).visitBill),
		"2305":  giveBack,
		"2401":  admit,
		"2402":  discharge,
		"2403":  describe,
		"2404":  cancelVisit,
		"2405":  readmit,
		"3101":  audit,
		"3102":  audit,
		"3201":  stateTotals,
		"3202":  stateDetails,
		"9101":  upload,
		"9102":  downloadFile,
		"5201":  queryVisits,
		"5203":  querySettlement,
		"5204":  queryLines,
		"5206":  accumulators,
		"6201":  placeOrder,
		"6202":  payOrder,
		"6203":  refundOrder,
		"6301":  findOrder,
		"1312":  catalogueItem,
		"1318":  catalogueCeilings,
		"1319":  catalogueShares,
		"2206":  preSettle((*call).visitBill),
		"2207":  settle((*call).visitBill),
		"2208":  giveBack,
		"2601":  reverse,
	}
}

// paths are the addresses below Prefix and the transaction that each is of; "" takes
// all. The misspellings are the interface's own (domain 3.2).
var paths = map[string]string{
	"rsfComIfsService/callService": "",
	mobilePath:                     "",

	"signInSignOutService/signIn":  "9001",
	"signInSignOutService/signOut": "9002",
	"fileupload/upload":            "9101",
	"fileupload/download":          "9102",

	"fsiPsnInfoService/queryPsnInfo":                 "1101",
	"fsiFixMedInsService/queryFixMedIns":             "1201",
	"hsecfc/localQrCodeQuery":                        "1162",
	"fsiPsnPriorityInfoService/queryPsnPriorityInfo": "2001",

	"outpatientDocInfoService/outpatientRregistration":      "2201",
	"outpatientDocInfoService/outpatientRegistrationCancel": "2202",
	"outpatientDocInfoService/outpatientMdtrtinfoUp":        "2203",
	"outpatientDocInfoService/outpatientFeeListUp":          "2204",
	"outpatientDocInfoService/outpatientFeeListUpCancel":    "2205",
	"outpatientSettleService/preSettletment":                "2206",
	"outpatientSettleService/saveSettletment":               "2207",
	"outpatientSettleService/saveSettletmentV2":             "2207",
	"outpatientSettleService/cancleSettletment":             "2208",
	"reverseService/revsMethod":                             "2601",

	"ybSettlementStmtService/stmtTotal":         "3201",
	"ybSettlementStmtService/stmtDetail":        "3202",
	"fsiIntegratedQueryService/querySetlInfo":   "5203",
	"fsiIntegratedQueryService/queryFeeList":    "5204",
	"fsiIntegratedQueryService/queryMdtrtInfo":  "5201",
	"fsiIntegratedQueryService/queryPsnSumInfo": "5206",
}
