#include "tokenizer/known_names.h"

#include <algorithm>
#include <array>
#include <iterator>

#include "tokenizer/characters.h"

namespace rebound {
namespace {

struct Known {
  std::string_view domain;
  std::string_view name;
};

// Sorted by domain. A host belongs to the longest of these that ends it on a label border.
constexpr Known kKnown[] = {
    {"0spam.org", "zerospam"},
    {"126.com", "netease"},
    {"163.com", "netease"},
    {"1and1.com", "unitedinternet"},
    {"1e100.net", "google"},
    {"1und1.de", "unitedinternet"},
    {"abuse.ch", "spamhaus"},
    {"abuseat.org", "abuseat"},
    {"abusix.com", "abusix"},
    {"abusix.org", "abusix"},
    {"abusix.zone", "abusix"},
    {"ahbl.org", "ahbl"},
    {"aim.com", "aol"},
    {"aka.ms", "microsoft"},
    {"alibaba.com", "aliyun"},
    {"alice.it", "tim"},
    {"aliyun-inc.com", "aliyun"},
    {"aliyun.com", "aliyun"},
    {"amazonaws.com", "amazonses"},
    {"amazonses.com", "amazonses"},
    {"antispamcloud.com", "spamexperts"},
    {"antispameurope.com", "hornetsecurity"},
    {"aol.com", "aol"},
    {"apple.com", "apple"},
    {"appriver.com", "appriver"},
    {"arcor.de", "arcor"},
    {"aruba.it", "aruba"},
    {"att.com", "att"},
    {"att.net", "att"},
    {"au.com", "kddi"},
    {"avanan.com", "avanan"},
    {"avanan.net", "avanan"},
    {"backscatterer.org", "backscatterer"},
    {"barracuda.com", "barracuda"},
    {"barracudacentral.org", "barracuda"},
    {"barracudanetworks.com", "barracuda"},
    {"bbox.fr", "bouygues"},
    {"belgacom.be", "skynet"},
    {"bell.ca", "bell"},
    {"bell.net", "bell"},
    {"bellsouth.net", "att"},
    {"biglobe.ne.jp", "biglobe"},
    {"bigpond.com", "bigpond"},
    {"bk.ru", "mailru"},
    {"blackspider.com", "forcepoint"},
    {"blocklist.de", "blocklistde"},
    {"bluehost.com", "bluehost"},
    {"bluewin.ch", "bluewin"},
    {"bol.com.br", "uol"},
    {"bouyguestelecom.fr", "bouygues"},
    {"brevo.com", "brevo"},
    {"brighthouse.com", "charter"},
    {"broadcom.com", "messagelabs"},
    {"bt.com", "bt"},
    {"btconnect.com", "bt"},
    {"btinternet.com", "bt"},
    {"centrum.cz", "centrum"},
    {"centurylink.com", "centurylink"},
    {"centurylink.net", "centurylink"},
    {"charter.com", "charter"},
    {"charter.net", "charter"},
    {"cisco.com", "cisco"},
    {"clamav.net", "clamav"},
    {"cleantalk.org", "cleantalk"},
    {"cloudflare.com", "cloudflare"},
    {"cloudflare.net", "cloudflare"},
    {"cloudmark.com", "cloudmark"},
    {"comcast.net", "comcast"},
    {"commtouch.com", "cyren"},
    {"coremail.cn", "coremail"},
    {"cox.com", "cox"},
    {"cox.net", "cox"},
    {"cpanel.net", "cpanel"},
    {"ctmail.com", "cyren"},
    {"cuda-inc.com", "barracuda"},
    {"cyren.com", "cyren"},
    {"daum.net", "daum"},
    {"dbl.abuse.ch", "spamhausdbl"},
    {"dbl.dq.spamhaus.net", "spamhausdbl"},
    {"dbl.spamhaus.org", "spamhausdbl"},
    {"dmarc.org", "dmarcian"},
    {"dmarcian.com", "dmarcian"},
    {"dnsrbl.net", "dnsrbl"},
    {"dnswl.org", "dnswl"},
    {"docomo.ne.jp", "docomo"},
    {"dreamhost.com", "dreamhost"},
    {"dronebl.org", "dronebl"},
    {"dsbl.org", "dsbl"},
    {"duocircle.com", "duocircle"},
    {"earthlink.net", "earthlink"},
    {"efnetrbl.org", "efnetrbl"},
    {"email.cz", "seznam"},
    {"emailsecurity.proofpoint.com", "proofpoint"},
    {"emailsrvr.com", "rackspace"},
    {"embarqmail.com", "centurylink"},
    {"eset.com", "eset"},
    {"ess.barracudanetworks.com", "barracuda"},
    {"everycloudtech.com", "everycloud"},
    {"exchangedefender.com", "appriver"},
    {"exim.org", "exim"},
    {"exmail.qq.com", "qq"},
    {"ezweb.ne.jp", "kddi"},
    {"fastmail.com", "fastmail"},
    {"fastmail.fm", "fastmail"},
    {"fireeye.com", "trellix"},
    {"fireeyecloud.com", "trellix"},
    {"five-ten-sg.com", "fivetensg"},
    {"forcepoint.com", "forcepoint"},
    {"fortiguard.com", "fortinet"},
    {"fortimail.com", "fortinet"},
    {"fortinet.com", "fortinet"},
    {"forwardemail.net", "forwardemail"},
    {"foxmail.com", "qq"},
    {"free.fr", "free"},
    {"freenet.de", "freenet"},
    {"fresh.spameatingmonkey.net", "spameatingmonkeyuribl"},
    {"frontier.com", "frontier"},
    {"frontiernet.net", "frontier"},
    {"gandi.net", "gandi"},
    {"gbudb.net", "gbudb"},
    {"gmail.com", "gmail"},
    {"gmx.at", "gmx"},
    {"gmx.ch", "gmx"},
    {"gmx.com", "gmx"},
    {"gmx.de", "gmx"},
    {"gmx.net", "gmx"},
    {"godaddy.com", "secureserver"},
    {"goo.gl", "google"},
    {"google.co.uk", "google"},
    {"google.com", "google"},
    {"google.de", "google"},
    {"google.fr", "google"},
    {"googleapis.com", "google"},
    {"googlegroups.com", "google"},
    {"googlemail.com", "google"},
    {"greylisting.org", "greylisting"},
    {"hanmail.net", "daum"},
    {"heise.de", "nixspam"},
    {"heluna.com", "heluna"},
    {"hetzner.com", "hetzner"},
    {"hetzner.de", "hetzner"},
    {"hinet.net", "hinet"},
    {"home.nl", "ziggo"},
    {"home.pl", "homepl"},
    {"hornetsecurity.com", "hornetsecurity"},
    {"hostgator.com", "bluehost"},
    {"hostinger.com", "hostinger"},
    {"hotmail.co.uk", "outlook"},
    {"hotmail.com", "outlook"},
    {"hotmail.de", "outlook"},
    {"hotmail.es", "outlook"},
    {"hotmail.fr", "outlook"},
    {"hotmail.it", "outlook"},
    {"icloud.com", "icloud"},
    {"icoremail.net", "icoremail"},
    {"ietf.org", "ietf"},
    {"improvmx.com", "improvmx"},
    {"inbox.ru", "mailru"},
    {"interia.pl", "interia"},
    {"interserver.net", "interserver"},
    {"invaluement.com", "invaluement"},
    {"ionos.com", "unitedinternet"},
    {"ionos.de", "unitedinternet"},
    {"iphmx.com", "cisco"},
    {"ironport.com", "cisco"},
    {"junkemailfilter.com", "hostkarma"},
    {"juno.com", "juno"},
    {"kakao.com", "daum"},
    {"kaspersky.com", "kaspersky"},
    {"kddi.com", "kddi"},
    {"kisa.or.kr", "kisa"},
    {"kisarbl.or.kr", "kisa"},
    {"kpn.com", "kpn"},
    {"kpnmail.nl", "kpn"},
    {"kundenserver.de", "unitedinternet"},
    {"laposte.net", "laposte"},
    {"libero.it", "libero"},
    {"list.ru", "mailru"},
    {"live.co.uk", "outlook"},
    {"live.com", "outlook"},
    {"live.net", "microsoft"},
    {"mac.com", "icloud"},
    {"mail-abuse.com", "mailabuse"},
    {"mail-abuse.org", "mailabuse"},
    {"mail.com", "unitedinternet"},
    {"mail.ovh.net", "ovh"},
    {"mail.ru", "mailru"},
    {"mailbox.org", "mailboxorg"},
    {"mailchannels.com", "mailchannels"},
    {"mailchannels.net", "mailchannels"},
    {"mailchimp.com", "mailchimp"},
    {"mailcontrol.com", "forcepoint"},
    {"mailguard.com.au", "mailguard"},
    {"mailgun.com", "mailgun"},
    {"mailgun.net", "mailgun"},
    {"mailgun.org", "mailgun"},
    {"mailjet.com", "mailjet"},
    {"mailspamprotection.com", "mailspamprotection"},
    {"mailspike.io", "mailspike"},
    {"mailspike.net", "mailspike"},
    {"mailspike.org", "mailspike"},
    {"mailtrust.com", "rackspace"},
    {"mandrillapp.com", "mailchimp"},
    {"manitu.net", "manitu"},
    {"mcafee.com", "mcafee"},
    {"mcsv.net", "mailchimp"},
    {"me.com", "icloud"},
    {"messagelabs.com", "messagelabs"},
    {"messagingengine.com", "fastmail"},
    {"microsoft.com", "microsoft"},
    {"microsoftonline.com", "microsoft"},
    {"migadu.com", "migadu"},
    {"mimecast.com", "mimecast"},
    {"mimecast.net", "mimecast"},
    {"mimecast.org", "mimecast"},
    {"mindspring.com", "earthlink"},
    {"movistar.es", "telefonica"},
    {"msn.com", "microsoft"},
    {"mtasv.net", "postmark"},
    {"multirbl.valli.org", "multirbl"},
    {"mxhichina.com", "aliyun"},
    {"mxlogic.com", "mcafee"},
    {"mxlogic.net", "mcafee"},
    {"mxtoolbox.com", "mxtoolbox"},
    {"namecheap.com", "namecheap"},
    {"naver.com", "naver"},
    {"netease.com", "netease"},
    {"netscape.net", "aol"},
    {"networksolutions.com", "netsol"},
    {"networksolutionsemail.com", "netsol"},
    {"netzero.net", "juno"},
    {"neuf.fr", "sfr"},
    {"nifty.com", "nifty"},
    {"nixspam.org", "nixspam"},
    {"njabl.org", "njabl"},
    {"nszones.com", "nszones"},
    {"o2.pl", "o2pl"},
    {"ocn.ne.jp", "ocn"},
    {"office.com", "microsoft"},
    {"office365.com", "microsoft"},
    {"one.com", "one"},
    {"onet.eu", "onet"},
    {"onet.pl", "onet"},
    {"open-spf.org", "openspf"},
    {"openspf.net", "openspf"},
    {"openspf.org", "openspf"},
    {"optusnet.com.au", "optus"},
    {"orange.com", "orange"},
    {"orange.fr", "orange"},
    {"ordb.org", "ordb"},
    {"outlook.com", "outlook"},
    {"outlook.de", "outlook"},
    {"outlook.fr", "outlook"},
    {"ovh.com", "ovh"},
    {"ovh.net", "ovh"},
    {"ovhcloud.com", "ovh"},
    {"passport.com", "outlook"},
    {"perfora.net", "unitedinternet"},
    {"plesk.com", "plesk"},
    {"pm.me", "protonmail"},
    {"post.cz", "seznam"},
    {"posteo.de", "posteo"},
    {"postfix.org", "postfix"},
    {"postgrey.schweikert.ch", "postgrey"},
    {"postini.com", "postini"},
    {"postmarkapp.com", "postmark"},
    {"ppe-hosted.com", "proofpoint"},
    {"pphosted.com", "proofpoint"},
    {"ppops.net", "proofpoint"},
    {"privateemail.com", "namecheap"},
    {"proofpoint.com", "proofpoint"},
    {"proton.me", "protonmail"},
    {"protonmail.ch", "protonmail"},
    {"protonmail.com", "protonmail"},
    {"proxad.net", "free"},
    {"proximus.be", "skynet"},
    {"psbl.surriel.com", "psbl"},
    {"psmtp.com", "postini"},
    {"qq.com", "qq"},
    {"rackspace.com", "rackspace"},
    {"rambler.ru", "rambler"},
    {"rediff.com", "rediff"},
    {"rediffmail.com", "rediff"},
    {"reflexion.net", "sophos"},
    {"registrar-servers.com", "namecheap"},
    {"retarus.com", "retarus"},
    {"returnpath.com", "validity"},
    {"returnpath.net", "validity"},
    {"rfc-clueless.org", "rfcclueless"},
    {"rfc-editor.org", "ietf"},
    {"rfc-ignorant.de", "rfcclueless"},
    {"rfc-ignorant.org", "rfcclueless"},
    {"rhsbl.sorbs.net", "sorbsrhsbl"},
    {"rocketmail.com", "yahoo"},
    {"rogers.com", "rogers"},
    {"rr.com", "charter"},
    {"rsgsv.net", "mailchimp"},
    {"rspamd.com", "rspamd"},
    {"rzone.de", "strato"},
    {"s5h.net", "s5h"},
    {"sapo.pt", "sapo"},
    {"sbcglobal.net", "att"},
    {"schweikert.ch", "postgrey"},
    {"securence.com", "securence"},
    {"secureserver.net", "secureserver"},
    {"senderbase.org", "talos"},
    {"senderscore.com", "senderscore"},
    {"senderscore.org", "senderscore"},
    {"sendersupport.olc.protection.outlook.com", "microsoft"},
    {"sendgrid.com", "sendgrid"},
    {"sendgrid.net", "sendgrid"},
    {"sendinblue.com", "brevo"},
    {"seznam.cz", "seznam"},
    {"sfr.fr", "sfr"},
    {"sgvps.net", "siteground"},
    {"shaw.ca", "shaw"},
    {"sina.cn", "sina"},
    {"sina.com", "sina"},
    {"sina.com.cn", "sina"},
    {"siteground.com", "siteground"},
    {"sky.com", "sky"},
    {"skynet.be", "skynet"},
    {"smxemail.com", "smx"},
    {"softbank.jp", "softbank"},
    {"softbank.ne.jp", "softbank"},
    {"sohu.com", "sohu"},
    {"sophos.com", "sophos"},
    {"sorbs.net", "sorbs"},
    {"spamassassin.org", "spamassassin"},
    {"spamcop.net", "spamcop"},
    {"spameatingmonkey.com", "spameatingmonkey"},
    {"spameatingmonkey.net", "spameatingmonkey"},
    {"spamexperts.com", "spamexperts"},
    {"spamhaus-zen.org", "spamhaus"},
    {"spamhaus.com", "spamhaus"},
    {"spamhaus.net", "spamhaus"},
    {"spamhaus.org", "spamhaus"},
    {"spamrats.com", "spamrats"},
    {"spamtitan.com", "spamtitan"},
    {"sparkpost.com", "sparkpost"},
    {"sparkpostmail.com", "sparkpost"},
    {"spectrum.net", "charter"},
    {"spfbl.net", "spfbl"},
    {"strato.de", "strato"},
    {"surbl.org", "surbl"},
    {"surriel.com", "psbl"},
    {"swinog.ch", "swinog"},
    {"swisscom.com", "bluewin"},
    {"symantec.com", "messagelabs"},
    {"symanteccloud.com", "messagelabs"},
    {"sympatico.ca", "bell"},
    {"t-online.de", "tonline"},
    {"talktalk.net", "talktalk"},
    {"talosintelligence.com", "talos"},
    {"telefonica.net", "telefonica"},
    {"telekom.de", "tonline"},
    {"telenet-ops.be", "telenet"},
    {"telenet.be", "telenet"},
    {"telia.com", "telia"},
    {"telia.se", "telia"},
    {"telstra.com", "bigpond"},
    {"telus.net", "telus"},
    {"tencent.com", "qq"},
    {"terra.com", "terra"},
    {"terra.com.br", "terra"},
    {"terra.es", "terra"},
    {"tim.it", "tim"},
    {"tin.it", "tim"},
    {"tiopan.com", "tiopan"},
    {"titan.email", "titan"},
    {"trellix.com", "trellix"},
    {"trendmicro.com", "trendmicro"},
    {"trendmicro.eu", "trendmicro"},
    {"truncate.gbudb.net", "truncate"},
    {"tuta.com", "tuta"},
    {"tutanota.com", "tuta"},
    {"tutanota.de", "tuta"},
    {"twc.com", "charter"},
    {"uceprotect.net", "uceprotect"},
    {"uceprotect.org", "uceprotect"},
    {"ukr.net", "ukrnet"},
    {"unitedonline.net", "juno"},
    {"uol.com.br", "uol"},
    {"uribl.com", "uribl"},
    {"uribl.spameatingmonkey.net", "spameatingmonkeyuribl"},
    {"vade-retro.com", "vaderetro"},
    {"vadecloud.com", "vaderetro"},
    {"vadesecure.com", "vaderetro"},
    {"validity.com", "validity"},
    {"valli.org", "multirbl"},
    {"verizon.net", "aol"},
    {"videotron.ca", "videotron"},
    {"virgin.net", "virginmedia"},
    {"virginmedia.com", "virginmedia"},
    {"vodafone.com", "arcor"},
    {"vodafone.de", "arcor"},
    {"volny.cz", "centrum"},
    {"wanadoo.fr", "orange"},
    {"web.de", "webde"},
    {"websense.com", "forcepoint"},
    {"websitewelcome.com", "bluehost"},
    {"wikipedia.org", "wikipedia"},
    {"windows.net", "microsoft"},
    {"windstream.net", "windstream"},
    {"wp.pl", "wp"},
    {"wpbl.info", "wpbl"},
    {"xfinity.com", "comcast"},
    {"xs4all.nl", "kpn"},
    {"ya.ru", "yandex"},
    {"yahoo.ca", "yahoo"},
    {"yahoo.co.in", "yahoo"},
    {"yahoo.co.jp", "yahoojp"},
    {"yahoo.co.uk", "yahoo"},
    {"yahoo.com", "yahoo"},
    {"yahoo.com.au", "yahoo"},
    {"yahoo.com.br", "yahoo"},
    {"yahoo.de", "yahoo"},
    {"yahoo.es", "yahoo"},
    {"yahoo.fr", "yahoo"},
    {"yahoo.in", "yahoo"},
    {"yahoo.it", "yahoo"},
    {"yahoo.net", "yahoo"},
    {"yahoodns.net", "yahoo"},
    {"yahooinc.com", "yahoo"},
    {"yandex.com", "yandex"},
    {"yandex.net", "yandex"},
    {"yandex.ru", "yandex"},
    {"ybb.ne.jp", "yahoojp"},
    {"yeah.net", "netease"},
    {"ymail.com", "yahoo"},
    {"your-server.de", "hetzner"},
    {"ziggo.nl", "ziggo"},
    {"zimbra.com", "zimbra"},
    {"zixcorp.com", "zix"},
    {"zixmail.net", "zix"},
    {"zoho.com", "zoho"},
    {"zoho.eu", "zoho"},
    {"zoho.in", "zoho"},
    {"zohomail.com", "zoho"},
    {"zoneedit.com", "zoneedit"},
    {"zrd.dq.spamhaus.net", "spamhausdbl"},
    {"zrd.spamhaus.org", "spamhausdbl"},
};

constexpr bool IsSorted() {
  for (size_t i = 1; i < std::size(kKnown); ++i) {
    if (!(kKnown[i - 1].domain < kKnown[i].domain)) return false;
  }
  return true;
}
static_assert(IsSorted());

constexpr size_t kMaxKnownBytes = 48;

// Country codes, two letters each, in one string.
constexpr std::string_view kCountries =
    "acadaeafagaialamaoaqarasatauawaxazbabbbdbebfbgbhbibjbmbnbobrbsbtbwbybzcacccdcfcgchcickclcmcnco"
    "cr"
    "cucvcwcxcyczdedjdkdmdodzeceeegereseteufifjfkfmfofrgagbgdgegfggghgiglgmgngpgqgrgsgtgugwgyhkhmhn"
    "hr"
    "hthuidieiliminioiqirisitjejmjojpkekgkhkikmknkpkrkwkykzlalblclilklrlsltlulvlymamcmdmemgmhmkmlmm"
    "mn"
    "mompmqmrmsmtmumvmwmxmymznancnenfngninlnonpnrnunzompapepfpgphpkplpmpnprpsptpwpyqarerorsrurwsasb"
    "sc"
    "sdsesgshsiskslsmsnsosrssstsusvsxsysztctdtftgthtjtktltmtntotrtttvtwtzuaugukusuyuzvavcvevgvivnvu"
    "wf"
    "wsyeytzazmzw";

// Country codes that are also words of English, German, French or Spanish.
constexpr std::string_view kWordCountries = "amasatbebydodeesidinisitlalememynonosotouszuim";

// Sorted.
constexpr std::string_view kGeneric[] = {
    "academy",   "aero",       "agency",    "app",           "arpa",        "asia",
    "bank",      "bayern",     "berlin",    "biz",           "blog",        "capital",
    "care",      "cat",        "center",    "click",         "clinic",      "cloud",
    "club",      "com",        "company",   "consulting",    "coop",        "corp",
    "design",    "dev",        "digital",   "edu",           "education",   "email",
    "events",    "example",    "finance",   "fun",           "games",       "global",
    "gmbh",      "gov",        "group",     "guru",          "hamburg",     "health",
    "home",      "host",       "hosting",   "icu",           "inc",         "info",
    "insurance", "int",        "internal",  "international", "intranet",    "invalid",
    "jobs",      "koeln",      "lan",       "law",           "legal",       "life",
    "link",      "live",       "llc",       "local",         "localdomain", "london",
    "ltd",       "marketing",  "media",     "mil",           "mobi",        "moe",
    "museum",    "name",       "net",       "network",       "news",        "ninja",
    "nyc",       "onion",      "online",    "org",           "page",        "paris",
    "post",      "private",    "pro",       "ruhr",          "school",      "services",
    "shop",      "site",       "solutions", "space",         "store",       "swiss",
    "systems",   "tech",       "tel",       "test",          "today",       "top",
    "travel",    "university", "vip",       "website",       "wien",        "wiki",
    "work",      "world",      "xyz",       "zone",
};
static_assert(std::is_sorted(std::begin(kGeneric), std::end(kGeneric)));

using PairSet = std::array<bool, 26 * 26>;

constexpr PairSet MakePairs(std::string_view pairs) {
  PairSet set{};
  for (size_t i = 0; i + 1 < pairs.size(); i += 2) {
    set[static_cast<size_t>((pairs[i] - 'a') * 26 + pairs[i + 1] - 'a')] = true;
  }
  return set;
}
constexpr PairSet kCountrySet = MakePairs(kCountries);
constexpr PairSet kWordCountrySet = MakePairs(kWordCountries);

bool HasPair(const PairSet& set, char a, char b) {
  return a >= 'a' && a <= 'z' && b >= 'a' && b <= 'z' &&
         set[static_cast<size_t>((a - 'a') * 26 + b - 'a')];
}

bool IsBlockListLabel(std::string_view label) {
  constexpr std::string_view kLabels[] = {"rbl", "dnsbl", "bl",  "blacklist", "blocklist",
                                          "sbl", "xbl",   "pbl", "cbl",       "dul"};
  for (const std::string_view known : kLabels) {
    if (label == known) return true;
  }
  return label.find("dnsbl") != std::string_view::npos || label.ends_with("rbl");
}

// Lists of domains: what is listed there is the sender's domain or one in the message, not an IP.
bool IsDomainListLabel(std::string_view label) {
  constexpr std::string_view kLabels[] = {"dbl", "uribl", "rhsbl", "uri", "surbl"};
  return std::find(std::begin(kLabels), std::end(kLabels), label) != std::end(kLabels);
}

}  // namespace

std::string_view NameOfHost(std::string_view host) {
  std::array<char, 256> buffer;
  if (host.size() > buffer.size()) host.remove_prefix(host.size() - buffer.size());
  for (size_t i = 0; i < host.size(); ++i) buffer[i] = Lower(host[i]);
  const std::string_view lower(buffer.data(), host.size());
  std::string_view name;
  size_t dots = 0;
  for (size_t i = lower.size(); i-- > 0;) {
    if (lower.size() - i > kMaxKnownBytes || dots == 5) break;
    if (lower[i] == '.') ++dots;
    if (dots == 0 || (i > 0 && lower[i - 1] != '.')) continue;
    const std::string_view suffix = lower.substr(i);
    const Known* found =
        std::lower_bound(std::begin(kKnown), std::end(kKnown), suffix,
                         [](const Known& known, std::string_view d) { return known.domain < d; });
    if (found != std::end(kKnown) && found->domain == suffix) name = found->name;
  }
  if (!name.empty()) return name;
  for (size_t start = 0; start < lower.size();) {
    const size_t dot = lower.find('.', start);
    if (dot == std::string_view::npos) break;
    const std::string_view label = lower.substr(start, dot - start);
    if (IsDomainListLabel(label)) return "uribl";
    if (IsBlockListLabel(label)) return "dnsbl";
    start = dot + 1;
  }
  return {};
}

bool IsTopLevelDomain(std::string_view label) {
  std::array<char, 16> buffer;
  if (label.size() < 2 || label.size() > buffer.size()) return false;
  for (size_t i = 0; i < label.size(); ++i) buffer[i] = Lower(label[i]);
  const std::string_view lower(buffer.data(), label.size());
  if (lower.size() == 2) {
    if (!HasPair(kCountrySet, lower[0], lower[1])) return false;
    const bool like_a_sentence = IsUpper(label[0]) && !IsUpper(label[1]);
    return !like_a_sentence || !HasPair(kWordCountrySet, lower[0], lower[1]);
  }
  if (lower.starts_with("xn--")) return true;
  if (lower == "\xd1\x80\xd1\x84") return true;  // .рф
  return std::binary_search(std::begin(kGeneric), std::end(kGeneric), lower);
}

}  // namespace rebound
