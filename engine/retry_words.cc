#include "engine/retry_words.h"

#include <algorithm>
#include <span>
#include <string_view>
#include <vector>

#include "engine/word_index.h"

namespace rebound {
namespace {

using enum RetryWord;

// Words with blanks between them; `-` at a word's end: any ending.
struct Words {
  RetryWord kind;
  double value;
  std::string_view words;
};

constexpr Words kUnits[] = {
    {kUnit, 1,
     "second seconds sec secs sek seks sekunde sekunden sekunder sekund sekundy sekundę sekundu "
     "sekundi sekundia sekunnin sekuntia seconde secondes secondi secondo segundo segundos seg "
     "segs "
     "seconden secunde secundă másodperc mp saniye сек секунд секунды секунду секунди с "
     "δευτερόλεπτα δευτερόλεπτο detik giây ثانية ثوان ثواني שניות שנייה 秒 秒钟 秒鐘 秒間 초 "
     "초간 วินาที"},
    {kUnit, 60,
     "minute minutes min mins mn minuten minut minuts minuter minutter minuty minuto minutos "
     "minuti minuut minutach minutę minutu minúty minút minutë minuutin minuuttia minutt "
     "perc percig dakika dk мин минут минуты минуту минути хв хвилин хвилини хвилину λεπτά "
     "λεπτό menit phút دقيقة دقائق دقيقه דקות דקה 分 分钟 分鐘 分間 분 분간 นาที"},
    {kUnit, 3600,
     "hour hours hr hrs heure heures stunde stunden std hora horas ora ore uur uren godzin "
     "godziny godz godzinach hodin hodiny hod hodín timme timmar timer timen tunti tunnin tuntia "
     "óra saat "
     "oră час часа часов ч год годин години годину ώρα ώρες jam giờ tiếng ساعة ساعات שעה שעות "
     "小时 小時 時間 个小时 個小時 시간 시간간 ชั่วโมง"},
    {kUnit, 86400,
     "day days tag tage tagen jour jours día días dia dias giorno giorni dag dagen dagar dage "
     "dzień dni den dní day(s) päivä päivän päivää nap gün zi zile день дня дней дн доба ημέρα "
     "ημέρες hari ngày يوم أيام יום ימים 天 日 日間 일 วัน"},
    {kUnit, 604800, "week weeks woche wochen semaine semaines semana semanas settimana 周 週間"},
    {kAlone, 3600, "godzinę hodinu"},
    {kAlone, 1800, "halbstunde полчаса півгодини halvtimme halvtime"},
    {kAlone, 900, "viertelstunde kwadrans"},
    {kAlone, 60, "minutkę"},
};

constexpr Words kNumbers[] = {
    {kNumber, 0.5,
     "half halbe halben halber demi demie media mezz mezza meia halve halv pół полу 半 半个 半個"},
    {kNumber, 1,
     "a an one ein eine einer einem einen un une uno una um uma een één jedna jedną jednu jeden "
     "en ett et один одну одна yksi egy bir một satu o μία 一 一个 一個 한"},
    {kNumber, 1.5, "anderthalb eineinhalb полтора anderhalf"},
    {kNumber, 2, "two zwei deux dos due dois duas twee dwie dwa dvě två два две iki 二 两 兩 두"},
    {kNumber, 3, "three drei trois tres tre três drie trzy tři три üç 三 세"},
    {kNumber, 4, "four vier quatre cuatro quattro quatro cztery čtyři fyra fire четыре dört 四"},
    {kNumber, 5, "five fünf cinq cinco cinque vijf pięć pět fem пять beş 五 다섯"},
    {kNumber, 6, "six sechs seis sei zes sześć šest sex seks шесть altı 六"},
    {kNumber, 8, "eight acht huit ocho otto oito osiem osm восемь 八"},
    {kNumber, 10, "ten zehn dix diez dieci dez tien dziesięć deset tio ti десять 十 열"},
    {kNumber, 12, "twelve zwölf douze doce dodici doze twaalf двенадцать 十二"},
    {kNumber, 15,
     "fifteen fünfzehn quinze quince quindici vijftien piętnaście patnáct femton femten "
     "пятнадцать 十五"},
    {kNumber, 20,
     "twenty zwanzig vingt veinte venti vinte twintig dwadzieścia dvacet tjugo tyve двадцать "
     "二十"},
    {kNumber, 24, "二十四"},
    {kNumber, 30,
     "thirty dreißig trente treinta trenta trinta dertig trzydzieści třicet trettio tredive "
     "тридцать 三十"},
    {kNumber, 45, "quarantacinque"},
    {kNumber, 60, "sixty sechzig soixante sesenta sessanta sessenta zestig шестьдесят 六十"},
    {kNumber, 90, "ninety neunzig noventa novanta"},
};

constexpr Words kCues[] = {
    {kRetry, 0,
     "retry retrying again try attempt back resend- redeliver- reconnect- resubmit- reattempt- "
     "return resume- repeat- come later reappl- "
     "erneut- nochmal- wieder- wiederhol- versuch versuche versuchen zustellversuch später "
     "réessa- reessa- retent- représent- represent- repass- renvo- nouveau nouvelle réitér- "
     "reprise reprendr- présentation essayer essayez "
     "reint- intente- intentar- inténtelo vuelva- volver reenv- pruebe "
     "riprov- ritent- ritrasm- ripresent- reinvi- riprend- "
     "tente novamente repita- reenvi- retorn- tentar "
     "probeer- opnieuw nogmaals weer "
     "spróbuj- sprobuj- ponów ponow ponown- ponaw- ponowi- próbę probe "
     "zkuste zkusit znovu opakujte skúste znova znovu "
     "försök prøv igen igjen senare senere "
     "yritä uudelleen próbálja próbáljon újra tekrar yeniden deneyin "
     "reîncerca- reincerca- încerca- "
     "повтор- попроб- снова позже попытка попытку спробуйте повторіть ще опитайте отново "
     "δοκιμ- ξανά coba kirim lagi ulang lại thử gửi "
     "إعادة المحاولة حاول نסה נסה שוב "
     "重试 重試 重新 再试 再試 再次 再发 再發 重发 重發 다시 재시도 재전송 ใหม่ อีกครั้ง ในอีก"},
    {kWait, 0,
     "wait waits patience patient hold pause please sleep lifted released expires "
     "ends resets unblocked unlocked delisted remaining remain remains left interval countdown "
     "cooldown "
     "warte- gedulden geduld bitte erst "
     "patient- attend- attente veuillez merci "
     "espere- espera- aguarde- aguarda- "
     "attend- aspett- pazien- "
     "wacht- geduld poczekaj czekaj odczekaj počkejte vyčkejte vent vänta odota várj- bekley- "
     "aștept- astept- подожд- ждём ждем жди- ожида- зачекай- изчака- περιμέν- tunggu đợi chờ "
     "انتظر המתן 等待 等候 等 待 お待 기다 รอ"},
    {kHold, 0,
     "greylist- graylist- grey gray postgrey- sqlgrey- greylisted defer- delay- block- blacklist- "
     "ban bans banned throttl- tarpit- suspend- lock- barred restrict- restrain- penal- embargo "
     "jail postpon- quarantin- persist- limited slow- held off door freez- froze temporarily "
     "triplet tuplet training intermission "
     "graulist- gesperr- blockier- zurückgestell- zurückgewies- gedrosselt drosselung "
     "grise bloqu- suspend- retard- gris bloque- suspend- "
     "grigia sospes- blocc- cinza cinzenta grijs- geblokkeer- vertraag- "
     "szar- zablokow- odłoż- šed- blokov- grålist- blokker- spärr- harmaalist- szürkelist- gri "
     "отклад- отлож- заблокир- блокир- грейлист- сер- ограничен- сір- сив- γκρίζα xám "
     "القائمة 灰名单 灰名單 封禁 禁止 限制 暂停 暫停 グレイリ グレーリ 規制 차단 그레이"},
    {kOver, 0,
     "tried tries trying attempts attempted idle timeout- timed time-out respond- respons- answer- "
     "replied reply silen- stalled expired expire queue- undeliver- deliver delivers delivered "
     "delivery deliveries waited waiting sent send sends returned cancelled killed gives messages "
     "mails emails recipients "
     "rcpts "
     "connections connects sessions msgs letters exceed- quota limit limits limiting rate reached "
     "accept accepts inactiv- unused used kept keep lasted banner greeting unreachable failing "
     "failed "
     "gave giving lookup window login reported dropped dead conversation deletes continue- "
     "persistently maintains allowance takes "
     "zugestell- zustellung überschr- vergeblich empfangen versendet unzustell- "
     "délai expir- remis remise livr- abandon- continu- "
     "contest- entreg- cola intentando caduc- "
     "consegn- scadut- tentativi prosegu- tentare fila "
     "doručen- udaje wysłan- dostarcz- försökt svar- levert levereras "
     "доставл- отвечает соединение писем доставк- "
     "已经 已經 超时 超時 超过 超過 タイムアウト"},
};

constexpr Words kNeighbours[] = {
    {kLimit, 0,
     "per last past every each within than over since during previous beyond under "
     "pro je als letzten letzte letzter innerhalb seit vergangenen binnen alle jede "
     "par depuis pendant dernières derniers dernière chaque sous sur toutes "
     "por últimos últimas ultimos ultimas durante desde hace cada más há mais "
     "ultimi ultime ultima ogni da entro più "
     "afgelopen laatste elke binnen sinds dan meer "
     "ostatnich ostatniej od przez co ponad posledních už během každých "
     "последние последних более каждые уже протягом останні вже över över senaste hver varje "
     "منذ כבר sudah selama đã trong και már her son 每 最近 过去 過去 已 毎 매"},
    {kSoftLimit, 0, "nog noch encore още ещё еще ješte ještě jeszcze ancora még あと"},
    {kFor, 0, "for für fuer pour para auf"},
    {kIn, 0, "in after"},
    {kThen, 0, "через fra tra dans pasados peste setelah múlva بعد över"},
    {kFiller, 0,
     "about approximately approx circa ca at least around the next another additional further more "
     "some minimum up to mindestens etwa ungefähr ungefaehr zirka weitere weiteren "
     "environ moins au alrededor aproximadamente unos almeno minstens ongeveer około ok asi "
     "cerca mindst minst около примерно full 约 約"},
    {kLater, 0,
     "later left remaining remains sonra múlva kuluttua päästä 后 後 以后 以後 之后 之後 후 뒤 "
     "이후 경과"},
    {kGone, 0,
     "ago old straight late overdue lang limit limits quota period window log banner rule rate "
     "timeout 内 內 以内 以內 あたり 以上 동안 째 당 的"},
};

struct Row {
  std::string_view word;
  RetryWord kind;
  double value;
  bool stem;
};

void AddAll(const Words& line, std::vector<Row>* rows) {
  std::string_view rest = line.words;
  while (!rest.empty()) {
    const size_t blank = rest.find(' ');
    std::string_view word = rest.substr(0, blank);
    rest = blank == std::string_view::npos ? "" : rest.substr(blank + 1);
    const bool stem = word.ends_with('-');
    if (stem) word.remove_suffix(1);
    if (word.size() >= 2) rows->push_back({word, line.kind, line.value, stem});
  }
}

const WordIndex<Row>& Index() {
  static const WordIndex<Row> index = [] {
    std::vector<Row> rows;
    for (const std::span<const Words> table :
         {std::span<const Words>(kUnits), std::span<const Words>(kNumbers),
          std::span<const Words>(kCues), std::span<const Words>(kNeighbours)}) {
      for (const Words& line : table) AddAll(line, &rows);
    }
    return WordIndex<Row>(std::move(rows));
  }();
  return index;
}

// Longer words come first, so the first meaning of each kind stays.
void Merge(const Row& row, RetryMeaning* meaning) {
  meaning->bytes = std::max(meaning->bytes, row.word.size());
  const auto set = [&row](RetryWord* kind) {
    if (*kind == kNone) *kind = row.kind;
  };
  switch (row.kind) {
    case kUnit:
      if (meaning->unit > 0) return;
      meaning->unit = row.value;
      meaning->unit_bytes = row.word.size();
      return;
    case kAlone:
      meaning->alone = row.value;
      return;
    case kNumber:
      if (meaning->number > 0) return;
      meaning->number = row.value;
      meaning->number_bytes = row.word.size();
      return;
    case kRetry:
    case kWait:
    case kHold:
    case kOver:
      return set(&meaning->cue);
    case kLater:
    case kGone:
      return set(&meaning->after);
    default:
      return set(&meaning->before);
  }
}

}  // namespace

RetryMeaning MeaningOfWord(std::string_view word) {
  RetryMeaning meaning;
  if (word.size() < 2) {
    if (word == "a") meaning.number = 1;
    if (word == "s") meaning.unit = 1;
    if (word == "m") meaning.unit = 60;
    if (word == "h") meaning.unit = 3600;
    if (word == "d") meaning.unit = 86400;
    return meaning;
  }
  for (const Row& row : Index().Near(word[0], word[1])) {
    if (row.stem ? word.starts_with(row.word) : word == row.word) Merge(row, &meaning);
  }
  return meaning;
}

RetryMeaning MeaningAtStart(std::string_view text) {
  RetryMeaning meaning;
  if (text.size() < 2) return meaning;
  for (const Row& row : Index().Near(text[0], text[1])) {
    if (text.starts_with(row.word)) Merge(row, &meaning);
  }
  return meaning;
}

}  // namespace rebound
