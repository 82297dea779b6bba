package main

// group is suffixes that are treated alike, and why.
type group struct {
	shared   bool // <listed name>.<suffix> is judged as the listed name
	reason   string
	suffixes []string
}

// groups has every protected suffix of the fact base exactly once. A suffix is shared when its operator carries other
// parties' sites and puts their host names, or a name made for them, in front of it. Elsewhere, what stands in front
// is anybody's choice or the operator's own, and a listed name there says nothing.
func groups() []group {
	return []group{
		{true, "Akamai: edge host names are the customer's host name in front of these", []string{
			"akadns.net", "akamai.net", "akamaiedge.net", "akamaihd.net", "akamaized.net", "edgekey.net", "edgesuite.net",
		}},
		{true, "Alibaba Cloud CDN: CNAME targets are the customer's host name and a label of theirs", []string{
			"alikunlun.com", "alikunlun.net", "cdngslb.com", "kunlunca.com", "kunluncan.com", "kunlungr.com", "kunlunhuf.com",
			"kunlunle.com", "kunlunpi.com", "kunlunsl.com",
		}},
		{true, "Amazon: CloudFront and Global Accelerator, edge names only", []string{"awsglobalaccelerator.com", "cloudfront.net"}},
		{true, "Baidu Cloud CDN: CNAME targets are the customer's host name in front of these", []string{"bdydns.com", "jomodns.com"}},
		{true, "Baishan Cloud: CNAME targets", []string{"baishan-cloud.net", "bsgslb.cn", "bsgslb.com"}},
		{true, "CDN77: CNAME targets", []string{"cdn77.org"}},
		{true, "Cloudflare: partial (CNAME) zones are the customer's host name in front of these", []string{
			"cdn.cloudflare.net", "cloudflare.net",
		}},
		{true, "Edgio: CNAME targets", []string{"edgecastcdn.net", "llnwd.net"}},
		{true, "Fastly: CNAME targets", []string{"fastly.net", "map.fastly.net"}},
		{true, "JD Cloud CDN: CNAME targets", []string{"cloudcdn.net", "cloudglb.com", "jcloudcdn.com"}},
		{true, "Kingsoft Cloud CDN: CNAME targets", []string{"ks-cdn.com", "ks-cdn1.com", "ksyuncdn.com"}},
		{true, "Leaseweb CDN: CNAME targets", []string{"lswcdn.net"}},
		{true, "Lumen (Level 3): CNAME targets", []string{"footprint.net"}},
		{true, "Microsoft: Azure CDN, Front Door and Traffic Manager", []string{
			"azureedge.net", "azurefd.net", "trafficmanager.net",
		}},
		{true, "Tencent Cloud: CDN and live streaming CNAME targets", []string{"cdntip.com", "dnsv1.com", "myqcloud.com"}},
		{true, "Wangsu (ChinaNetCenter): CNAME targets", []string{"cdn20.com", "wscdns.com", "wsdvs.com", "wsglb0.com"}},
		{true, "CDN with many customers: CNAME targets", []string{
			"bitgravity.com", "cdnle.com", "cdnvideo.ru", "ecdnx.com", "mncdn.com", "ovscdns.net", "spbycdn.com", "srip.net",
			"swiftserve.com", "zwtianshangm.com",
		}},

		{false, "name servers: what stands in front is a server's name", []string{
			"akam.net", "awsdns-04.co.uk", "awsdns-26.net", "awsdns-55.com", "awsdns-56.org",
		}},
		{false, "hosting and object storage: what stands in front is a bucket or a machine that anybody may name", []string{
			"aliyuncs.com", "amazonaws.com", "bcebos.com", "googleapis.com", "googleusercontent.com", "windows.net",
		}},
		{false, "the operator's own sites, applications and assets", []string{
			"alicdn.com", "amap.com", "app-measurement.com", "cloudflare.com", "fastly.com", "googlevideo.com", "gshifen.com",
			"gstatic.com", "qq.com", "taobao.com", "taobao.net", "tbsandbox.com", "umeng.com", "wshifen.com",
		}},
		{false, "links and measurement: what stands in front is an application's label, no host name", []string{
			"app.link", "appsflyersdk.com", "onelink.me",
		}},
		{false, "a bank, a telecommunications company, an event platform", []string{
			"189.cn", "21cn.com", "cmbchina.com", "splashthat.com", "tm.com.my",
		}},
		{false, "a search domain that leaked into lists, and a name that nobody could place", []string{"cifapps.com", "dvaitas.lt"}},
	}
}

// unplaced are CDN suffixes that have been seen almost only behind ByteDance names and whose owner is unknown. The
// builtin lists hold only subtrees of them. They are shared, but not protected: an agency that wants one of them
// banned whole may list it.
func unplaced() []string {
	return []string{"atomile.com", "qlivecdn.com", "queniuaa.com", "rocket-cdn.com", "rocket-cdnbp.com", "tlivepush.com"}
}

// labels are the operators' labels that have been seen between a ByteDance name and a shared suffix, with the
// example. "bytegeo", "bytewlb" and "bytedance" below akadns.net are not among them: those are ByteDance's own and
// are listed with all below them.
func labels() []struct{ label, example string } {
	return []struct{ label, example string }{
		{"abc-jns", "tiktokcdn.com.abc-jns.swiftserve.com"},
		{"c", "tiktok.com.c.footprint.net"},
		{"cdn", "pstatp.com.cdn.dnsv1.com"},
		{"cloud", "pstatp.com.cloud.cdntip.com"},
		{"download", "pstatp.com.download.ks-cdn.com"},
		{"jns3", "tiktokcdn.com.jns3.swiftserve.com"},
		{"liveplay", "tiktokcdn.com.liveplay.myqcloud.com"},
		{"m", "pstatp.com.m.alikunlun.com"},
		{"w", "pstatp.com.w.cdngslb.com"},
		{"xi", "pstatp.com.xi.zwtianshangm.com"},
	}
}

// operatorName is what the fact base calls an operator, so that it goes into "shared by the customers of …".
func operatorName(operator string) string {
	switch operator {
	case "Akamai edge name", "Akamai DNS":
		return "Akamai"
	case "attribution/deep-link vendor":
		return "a link and measurement service"
	case "bank":
		return "a bank"
	case "event platform":
		return "an event platform"
	case "other multi-tenant CDN":
		return "a CDN"
	case "search-domain leak, not an owner", "unrelated/unknown":
		return "somebody who has nothing to do with ByteDance"
	case "telco":
		return "a telecommunications company"
	default:
		return operator
	}
}
