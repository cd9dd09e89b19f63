#include "engine/facts.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

namespace rebound {
namespace {

int64_t Retry(std::string_view text) {
  const auto found = FindRetryAfter(text);
  return found ? found->count() : 0;
}

// "Spamhaus ZEN ip host, Barracuda ip"
std::string Lists(std::string_view text) {
  std::string all;
  const auto lists = FindBlockLists(text);
  for (const FoundList& found : lists.view()) {
    if (!all.empty()) all += ", ";
    all.append(found.list->name).append(" ").append(ListedKindName(found.list->kind));
    if (found.host) all += " host";
  }
  return all;
}

TEST(RetryAfter, GivesThePostalsysLibrarysAnswersToTheLetter) {
  EXPECT_EQ(Retry("try again in 5 minutes"), 300);
  EXPECT_EQ(Retry("Try again in 30 seconds"), 30);
  EXPECT_EQ(Retry("Retry in 5 minutes"), 300);
  EXPECT_EQ(Retry("Wait 1 hour before retrying"), 3600);
  EXPECT_EQ(Retry("Greylisted for 300 seconds"), 300);
  EXPECT_EQ(Retry("Wait 10 min"), 600);
  EXPECT_EQ(Retry("Retry in 2 hr"), 7200);
  EXPECT_EQ(Retry("Come back in 10 minutes"), 600);
  EXPECT_EQ(Retry("Try after 30 seconds"), 30);
  EXPECT_EQ(Retry("Too many requests, wait 60 seconds"), 60);
  EXPECT_EQ(Retry("Wait 100000 seconds"), 0);
  EXPECT_EQ(Retry("User unknown"), 0);
}

TEST(RetryAfter, StaysBetweenASecondAndADay) {
  EXPECT_EQ(Retry("retry in 1 second"), 1);
  EXPECT_EQ(Retry("retry in 0 seconds"), 0);
  EXPECT_EQ(Retry("retry in 24 hours"), 86400);
  EXPECT_EQ(Retry("retry in 86401 seconds"), 0);
  EXPECT_EQ(Retry("retry in 2 days"), 0);
  EXPECT_EQ(Retry("retry in 99999999999999999999 seconds"), 0);
}

TEST(RetryAfter, KnowsHowServersWriteTimes) {
  EXPECT_EQ(Retry("450 greylisted, retry after 300s"), 300);
  EXPECT_EQ(Retry("450 resend in 5m"), 300);
  EXPECT_EQ(Retry("retry in 1 hour and 30 minutes"), 5400);
  EXPECT_EQ(Retry("retry in 1h30m"), 5400);
  EXPECT_EQ(Retry("wait half an hour"), 1800);
  EXPECT_EQ(Retry("come again in an hour"), 3600);
  EXPECT_EQ(Retry("Retry in five minutes"), 300);
  EXPECT_EQ(Retry("try again in 1.5 hours"), 5400);
  EXPECT_EQ(Retry("try again in 1,800 seconds"), 1800);
  EXPECT_EQ(Retry("come again in 5-10 minutes"), 600);
  EXPECT_EQ(Retry("this will persist for 4 to 8 hours"), 28800);
  EXPECT_EQ(Retry("Greylisting in action, please come back in 00:05:00"), 300);
  EXPECT_EQ(Retry("volume has been limited for the next hour"), 3600);
  EXPECT_EQ(Retry("Retry-After: 120"), 120);
  EXPECT_EQ(Retry(R"({"error":"rate_limit_exceeded","retry_after":120})"), 120);
  EXPECT_EQ(Retry("cause=greylist retryAfter=120"), 120);
  EXPECT_EQ(Retry("450-You are in the GREY list\n450 wait 7 minutes"), 420);
}

TEST(RetryAfter, SpeaksTheLanguagesOfTheCorpus) {
  for (const char* text : {"bitte in 5 Minuten erneut versuchen",
                           "erneuter Versuch in 300s",
                           "veuillez réessayer dans 5 minutes",
                           "vuelva a intentarlo pasados 5 minutos",
                           "reintente dentro de 300 segundos",
                           "riprovare tra 5 minuti",
                           "riprovate fra 5 minuti",
                           "sospeso per 5 minuti",
                           "tente novamente em 5 minutos",
                           "aguarde 5 minutos",
                           "probeer het over 5 minuten nog eens",
                           "wacht 5 minuten",
                           "spróbuj ponownie za 5 minut",
                           "zkuste to znovu za 5 minut",
                           "skúste o 5 minút",
                           "повторите через 5 минут",
                           "ПОВТОРИТЕ ЧЕРЕЗ 5 МИНУТ",
                           "письмо откладывается на 5 минут",
                           "спробуйте ще раз за 5 хв",
                           "опитайте след 5 минути",
                           "försök igen om 5 minuter",
                           "prøv igen om 5 minutter",
                           "yritä uudelleen 5 minuutin kuluttua",
                           "próbálja újra 5 perc múlva",
                           "5 dakika sonra tekrar deneyin",
                           "reîncercați peste 5 minute",
                           "δοκιμάστε ξανά σε 5 λεπτά",
                           "silakan coba lagi dalam 5 menit",
                           "vui lòng gửi lại sau 5 phút",
                           "يرجى إعادة المحاولة بعد 5 دقائق",
                           "กรุณาส่งใหม่ในอีก 5 นาที",
                           "请 5 分钟后重试",
                           "請於 5 分鐘後重新投遞",
                           "5分後に再送してください",
                           "５分後に再送してください",
                           "5분 뒤 다시 보내 주세요"}) {
    EXPECT_EQ(Retry(text), 300) << text;
  }
  EXPECT_EQ(Retry("versuchen Sie es in einer Stunde erneut"), 3600);
  EXPECT_EQ(Retry("réessayez dans une heure"), 3600);
  EXPECT_EQ(Retry("spróbuj za godzinę"), 3600);
  EXPECT_EQ(Retry("повторите через час"), 3600);
  EXPECT_EQ(Retry("请半小时后再试"), 1800);
}

TEST(RetryAfter, TakesNoTimeThatIsNoneToWait) {
  for (const char* text : {"no response within 30 seconds",
                           "could not be delivered for more than 4 hours",
                           "We tried for 24 hours",
                           "Gmail will retry for 23 more hours",
                           "expired after 5 hours",
                           "limit of 100 messages in 60 seconds reached",
                           "exceeded 100 mails per 5 minutes",
                           "100 msgs/7 min",
                           "throttled for 10 mins/hr",
                           "URL seen 17 times in 301 seconds",
                           "too many messages in the last 5 minutes",
                           "we retry every 4 hours",
                           "idle for 5 minutes, line dropped",
                           "it let us wait 30 seconds and said nothing",
                           "try again after 18:00",
                           "seit mehr als 5 Stunden nicht zugestellt",
                           "Gmail versucht es noch 5 Stunden lang erneut",
                           "depuis 5 heures",
                           "durante 5 horas",
                           "ne répond pas au bout de 7 minutes, abandon",
                           "nog 5 uur geprobeerd",
                           "в течение последних 5 минут",
                           "5時間再送を試みましたが配送できませんでした",
                           "已经 5 小时无法连上",
                           "5시간째 응답하지 않습니다"}) {
    EXPECT_EQ(Retry(text), 0) << text;
  }
}

TEST(RetryAfter, TakesNoTimeOutOfAddressesIdsSizesAndDates) {
  for (const char* text :
       {"retry later 192.0.2.30 s", "try again later id 300s-4f", "retry 4f5s6m",
        "greylisted, see 3s.example.com", "wait <5min@example.com>", "try again, size 25 MB",
        "try again https://example.com/wait/5/minutes?retry=5min", "retry 2024-05-01",
        "wait v1.5.2 m",
        "421 4.7.0 try again later 38308e7fff4ca-317d13bdb9esi41173941fa.224 - gsmtp",
        "retry after 451", "再試行してください 11月1日"}) {
    EXPECT_EQ(Retry(text), 0) << text;
  }
}

TEST(RetryAfter, WhatIsAskedForComesBeforeWhatIsTold) {
  EXPECT_EQ(Retry("blocked for 24 hours; try again in 5 minutes"), 300);
  EXPECT_EQ(Retry("blocked for 10 minutes after 3 hours of abuse"), 600);
}

TEST(BlockLists, GivesThePostalsysLibrarysAnswersToTheLetter) {
  EXPECT_EQ(Lists("Blocked by spamhaus.org"), "Spamhaus ip host");
  EXPECT_EQ(Lists("blocked using b.barracudacentral.org"), "Barracuda ip host");
  EXPECT_EQ(Lists("Blocked by Mimecast"), "Mimecast ip");
  EXPECT_EQ(Lists("rejected, listed on rbl.example.org"), "RBL ip host");
  EXPECT_EQ(Lists("Your IP is listed in an RBL"), "RBL ip");
  EXPECT_EQ(Lists("URL blocked by uribl.com"), "URIBL uri host");
  EXPECT_EQ(Lists("550 marblehead.com rejected"), "");
  EXPECT_EQ(Lists("RBL check failed"), "");
  EXPECT_EQ(Lists("550 5.1.1 User unknown. Protected by Barracuda Networks"), "");
  EXPECT_EQ(Lists("550 Invalid Recipient - https://community.mimecast.com/docs/DOC-1369#550"), "");
  EXPECT_EQ(Lists("Blocked by spamhaus.org and barracuda"), "Spamhaus ip host, Barracuda ip");
  EXPECT_EQ(Lists("blocked by zen.spamhaus.org"), "Spamhaus ZEN ip host");
}

TEST(BlockLists, TheMostSpecificComesFirstAndStandsForTheWhole) {
  EXPECT_EQ(Lists("blocked using zen.spamhaus.org; Listed by XBL"), "Spamhaus XBL ip host");
  EXPECT_EQ(Lists("blocked by RBL: bl.spamcop.net"), "SpamCop ip host");
  EXPECT_EQ(Lists("listed by SORBS and zen.spamhaus.org"), "Spamhaus ZEN ip host, SORBS ip");
  EXPECT_EQ(Lists("see http://www.spamhaus.org/pbl/query/"), "Spamhaus PBL ip host");
  EXPECT_EQ(Lists("Listed by UCEPROTECT-Level3"), "UCEPROTECT Level 3 ip");
  EXPECT_EQ(Lists("blocked using Trend Micro Email Reputation Service"), "Trend Micro ip");
}

TEST(BlockLists, KindsAreOfWhatIsListed) {
  EXPECT_EQ(Lists("found in Spamhaus DBL"), "Spamhaus DBL domain");
  EXPECT_EQ(Lists("listed on multi.surbl.org"), "SURBL uri host");
  EXPECT_EQ(Lists("is on ivmURI"), "Invaluement ivmURI uri");
  EXPECT_EQ(Lists("blocked using uribl.example.org"), "RBL uri host");
}

TEST(BlockLists, NoSignatureAddressOrFailedQuestionIsAListing) {
  for (const char* text :
       {"Scanned by Barracuda Email Security Gateway", "virus blocked by Sophos",
        "Message blocked by Barracuda spam filter", "zoomed in the dbl bed", "PBLX",
        "<info@spamhaus.org>: user unknown", "Spamhaus lookup failed, try later",
        "notspamhaus.org.example.com rejected", "550 blacklisted", "our internal block list",
        "CSS file rejected", "carbl.com"}) {
    EXPECT_EQ(Lists(text), "") << text;
  }
}

TEST(BlockLists, ThereAreMoreThanFortyAndEveryParentIsAmongThem) {
  std::set<std::string_view> names;
  for (const BlockList& list : KnownBlockLists()) names.insert(list.name);
  EXPECT_GT(names.size(), 80u);
  for (const BlockList& list : KnownBlockLists()) {
    EXPECT_TRUE(list.parent.empty() || names.contains(list.parent)) << list.name;
  }
}

TEST(BlockLists, EveryHostOfTheTableIsFound) {
  for (const BlockList& list : KnownBlockLists()) {
    std::string_view zones = list.zones;
    while (!zones.empty()) {
      const std::string zone(zones.substr(0, zones.find(' ')));
      zones.remove_prefix(std::min(zone.size() + 1, zones.size()));
      const std::string text = "554 blocked using " + zone;
      if (list.vendor) continue;
      const FoundLists found = FindBlockLists(text);
      ASSERT_GE(found.count, 1u) << zone;
      EXPECT_EQ(found.all[0].list->name, list.name) << zone;
      EXPECT_TRUE(found.all[0].host) << zone;
    }
  }
}

TEST(Listed, TellsWhatStandsOnTheListAndWhereToAskForRemoval) {
  const Facts facts = FindFacts(
      "host mx.example.com[203.0.113.5] said: 554 5.7.1 Service unavailable; Client host "
      "[192.0.2.7] blocked using zen.spamhaus.org (127.0.0.4)");
  EXPECT_EQ(facts.listed, "192.0.2.7");
  EXPECT_EQ(facts.delist, "https://check.spamhaus.org/results/?query=192.0.2.7");
  EXPECT_EQ(FindFacts("blocked: 7.2.0.192.bl.spamcop.net").listed, "192.0.2.7");
  EXPECT_EQ(FindFacts("[IPv6:2001:db8::7] listed by bl.spamcop.net").listed, "2001:db8::7");
  EXPECT_EQ(FindFacts("Sender domain [acme.example] blocked using dbl.spamhaus.org").listed,
            "acme.example");
  EXPECT_EQ(FindFacts("550-acme.example is listed by\n550 multi.uribl.com").listed, "acme.example");
}

TEST(Listed, WithoutASubjectThePageIsTheLists) {
  const Facts facts = FindFacts("550 blocked using bl.spamcop.net");
  EXPECT_EQ(facts.listed, "");
  EXPECT_EQ(facts.delist, "https://www.spamcop.net/");
}

TEST(Listed, AReceiverThatMayNotAskTheListSaysNothingOfTheSender) {
  const Facts facts = FindFacts(
      "554 Client host [192.0.2.7] blocked using zen.spamhaus.org; Error: open resolver; "
      "https://check.spamhaus.org/returnc/pub/198.51.100.1/");
  EXPECT_EQ(facts.listed, "");
  EXPECT_EQ(facts.delist, "");
}

TEST(ProviderFacts, CodesTellWhoseTheyAre) {
  struct {
    const char* text;
    const char* receiver;
    const char* code;
  } const cases[] = {
      {"part of their network is on our block list (S3150).", "Microsoft", "S3150"},
      {"550 5.7.515 Access denied; AS(201806281)", "Microsoft", "AS(201806281)"},
      {"550 SC-001 (BAY004-MC1F13) Unfortunately", "Microsoft", "SC-001"},
      {"421 4.7.0 [TSS04] Messages temporarily deferred", "Yahoo", "TSS04"},
      {"554 RTR:BL blocked", "Yahoo", "RTR:BL"},
      {"554 5.7.1 [CS01] Message rejected due to local policy.", "Apple", "CS01"},
      {"Mail rejete. Mail rejected. OFR_506 [506]", "Orange", "OFR_506"},
      {"421 4.7.1 LPN007_405 slow down", "La Poste", "LPN007_405"},
      {"550 5.1.0 AUP#1260", "Charter", "AUP#1260"},
      {"550 AUP#In-1310", "Charter", "AUP#In-1310"},
      {"552 5.2.0 AUP#CXSMTP Message appears to be spam", "Cox", "AUP#CXSMTP"},
      {"554 BL000001 see", "Comcast", "BL000001"},
      {"554 IB103. too many", "GoDaddy", "IB103"},
      {"421 BigPond Inbound IB101.", "Telstra", "IB101"},
      {"421 4.3.2 CON-T1 too many", "Meta", "CON-T1"},
      {"554 DT:SPM 163", "NetEase", "DT:SPM"},
      {"see https://support.google.com/mail/?p=NoSuchUser abc - gsmtp", "Google", "NoSuchUser"},
      {"https://postmaster.gmx.net/en/error-messages?ip=192.0.2.7&c=bip", "GMX", "bip"},
      {"550 [QX77] nobody knows", "", "QX77"},
  };
  for (const auto& c : cases) {
    const Provider found = FindProvider(c.text);
    EXPECT_EQ(found.receiver, c.receiver) << c.text;
    EXPECT_EQ(found.code, c.code) << c.text;
    EXPECT_TRUE(found.receiver.empty() || !found.help.empty() || found.receiver == "Telstra")
        << c.text;
  }
}

TEST(ProviderFacts, ThePageThatTheTextNamesIsTheProvidersOwn) {
  EXPECT_EQ(FindProvider("554 [CS01] rejected, https://support.apple.com/en-us/HT204137.").help,
            "https://support.apple.com/en-us/HT204137");
  EXPECT_EQ(FindProvider("554 [CS01] rejected, http://evil.example.com/apple").help,
            "https://support.apple.com/en-us/102322");
}

TEST(ProviderFacts, FiltersStandBesideReceivers) {
  const Provider found = FindProvider(
      "550 Invalid Recipient - https://community.mimecast.com/docs/DOC-1369#550 [a.us-mta-3]");
  EXPECT_EQ(found.filter, "Mimecast");
  EXPECT_EQ(found.receiver, "");
  EXPECT_EQ(found.help, "https://community.mimecast.com/docs/DOC-1369#550");
  EXPECT_EQ(FindProvider("550 XGEMAIL_0003 Command rejected").filter, "Sophos");
}

TEST(ProviderFacts, ASendersHostOrAnAddressIsNoReceiver) {
  for (const char* text :
       {"Client host mail-x.google.com[192.0.2.1] rejected", "<bob@yahoo.com>: User unknown",
        "550 <x@outlook.com> rejected", "S3 bucket, IB and AUP", "550 (S31) [A1] RP-1"}) {
    EXPECT_TRUE(FindProvider(text).empty()) << text;
  }
  EXPECT_EQ(FindProvider("host mx.yandex.ru[192.0.2.1] said: 550 no").receiver, "Yandex");
}

TEST(FactsTest, CodesAreThePostalsysLibrarysToTheLetter) {
  struct {
    const char *text, *reply, *enhanced;
  } const cases[] = {
      {"550 User unknown", "550", ""},
      {"550 5.1.1 User unknown", "550", "5.1.1"},
      {"550-5.1.1 User unknown", "550", "5.1.1"},
      {"550 5.7.23 SPF validation failed", "550", "5.7.23"},
      {"Connection refused", "", ""},
      {"550 IP 5.7.1.100 is blacklisted", "550", ""},
      {"Server at 5.2.2.50 rejected", "", ""},
      {"550 5.7.1.0 not a code", "550", ""},
      {"v1.2 5.7.1 result", "", "5.7.1"},
  };
  for (const auto& c : cases) {
    const Facts facts = FindFacts(c.text);
    EXPECT_EQ(facts.codes.reply, c.reply) << c.text;
    EXPECT_EQ(facts.codes.enhanced, c.enhanced) << c.text;
  }
}

// No byte of an address is read as a code, wherever it stands and whatever stands around it.
TEST(FactsTest, NoEnhancedCodeComesOutOfAnAddress) {
  for (const char* address : {"5.7.1.100", "4.4.4.4", "5.1.1.1", "10.5.1.1", "192.4.7.1",
                              "5.5.5.255", "5.7.1.0/24", "5.7.1.*", "5.7.1.xxx", "5.7.1/24"}) {
    for (const char* before :
         {"", " ", "[", "(", "<", "ip=", "IP:", "from ", "smtp;", "550 ", "550-"}) {
      for (const char* after : {"", " ", "]", ")", ">", ":25", ",", ";", "\r\n", " 550"}) {
        const std::string text = std::string(before) + address + after;
        EXPECT_EQ(FindFacts(text).codes.enhanced, "") << text;
      }
    }
  }
}

TEST(FactsTest, NothingIsFoundInNothing) {
  for (const std::string& text : {std::string(), std::string("\0\xFF\xE3\xC3", 4),
                                  std::string("\xE3\x80"), std::string("5 \xC3")}) {
    const Facts facts = FindFacts(text);
    EXPECT_FALSE(facts.retry_after);
    EXPECT_EQ(facts.lists.count, 0u);
    EXPECT_TRUE(facts.provider.empty());
  }
}

}  // namespace
}  // namespace rebound
