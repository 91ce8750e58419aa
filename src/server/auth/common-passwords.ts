/**
 * Words that lists of stolen passwords begin with, whole or as parts: none of them is long enough to be a password
 * here, so what matters is what people make of them by repeating and stringing together. Folded; three letters at least.
 */
export const COMMON_WORDS: readonly string[] = `
password passwort passwd passord passwords losenord lösenord salasana wachtwoord motdepasse contrasena contraseña senha
parola haslo heslo jelszo kennwort hemlig geheim secret sekret admin administrator root user username guest default
login logon signin welcome willkommen välkommen valkommen bienvenue bonjour hello hallo letmein changeme change temp
temporary test tester testing pass access master trustno1 trust supervisor manager system server service security
secure private public please letme enter abc123 qwerty qwertz azerty asdf zxcv qazwsx q1w2e3r4t5 1q2w3e4r 1qaz2wsx
zaq12wsx qweasd qweasdzxc asdasd adgjmp iloveyou ilove loveyou loveme lovely lover love forever always honey darling
sweetheart sweetie sweety sweet baby babygirl babyboy princess prinsessa prinzessin prince queen king angel angels heart
kiss sunshine sommar sommer summer winter vinter spring autumn herbst frühling january february march april june july
august september october november december januari februari augusti oktober monday friday sunday holiday christmas
dragon drache drake monkey football fotboll fussball fußball baseball basketball hockey soccer softball golfer tennis
superman batman spiderman ironman starwars startrek pokemon pikachu naruto mario luigi sonic zelda minecraft fortnite
roblox playstation nintendo xbox gamer killer hunter ranger shadow ninja samurai warrior soldier phoenix merlin wizard
matrix gandalf hobbit tolkien harry potter hogwarts jedi yoda vader skywalker pirate tiger lion eagle falcon wolf bear
panther cougar shark dolphin horse chicken banana orange apple cherry strawberry cookie chocolate choklad schokolade
peanut pepper ginger cheese pizza coffee butterfly flower blume blomma sunflower rainbow purple yellow silver golden
black white green blue red diamond crystal money cash dollar rich lucky happy glad sexy hottie fuckyou fuckme fuckoff
fuck asshole bitch pussy penis shit bullshit whatever nothing blahblah freedom frihet freiheit liberty america american
canada sweden sverige stockholm göteborg goteborg malmö deutschland germany berlin münchen hamburg england london
france paris italia russia moscow india mexico brasil brazil china japan tokyo newyork california chicago boston dallas
texas florida yankees cowboys steelers packers eagles lakers raiders arsenal liverpool chelsea barcelona realmadrid
juventus bayern schalke djurgården hammarby michael michelle jennifer jessica jordan joshua daniel andrew anthony
ashley nicole matthew robert thomas charlie william richard george david samantha amanda justin brandon alexander
alexandra andreas anders johan maria anna eva emma sarah sara sophie peter martin stefan christian sebastian benjamin
patrick jonathan victoria elizabeth veronica isabella oliver oscar hannah natasha olivia maggie buddy bailey bella
rocky coco snoopy tigger mickey mouse minnie donald garfield scooby simpson homer bart mustang ferrari porsche
mercedes corvette camaro harley yamaha honda toyota nissan volvo saab suzuki audi bmw computer internet google
facebook twitter instagram youtube microsoft windows linux apple samsung nokia iphone android hacker cheater guitar
music metallica slipknot nirvana eminem beatles blink182 rockstar hiphop family familj familie mother mamma
father pappa daddy mommy sister brother friend friends bestfriend maverick thunder blaze power energy strom ström
electricity elektrisch elektriker meter watt volt kilowatt house home heim huset property building jesus christ god
church faith bless blessed heaven heavenly world planet galaxy cosmos cosmic number one two three four five six seven
eight nine zero first last new newpass newpassword mypass mypassword
thisisapassword thisismypassword opensesame nopassword
`
  .trim()
  .split(/\s+/);

/** What fingers and counting follow, forwards or backwards. */
export const SEQUENCES: readonly string[] = [
  '01234567890123456789',
  'abcdefghijklmnopqrstuvwxyzåäö',
  'abcdefghijklmnopqrstuvwxyzabc',
  'qwertyuiopåasdfghjklöäzxcvbnm',
  'qwertyuiop[]asdfghjkl;zxcvbnm,./',
  'qwertyuiopasdfghjklzxcvbnmqwerty',
  'qwertzuiopüasdfghjklöäyxcvbnm',
  'qwertzuiopasdfghjklyxcvbnmqwertz',
  'azertyuiopqsdfghjklmwxcvbn',
  '1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik,9ol.0p',
  '1q2w3e4r5t6y7u8i9o0p',
  'qawsedrftgyhujikolp',
  'qazwsxedcrfvtgbyhnujmikolp',
  'zaqxswcdevfrbgtnhymjukilop',
  '1a2b3c4d5e6f7g8h9i0j1k2l3m',
  'a1b2c3d4e5f6g7h8i9j0k1l2m3',
  '!@#$%^&*()_+',
  '!"#¤%&/()=?',
  '!"§$%&/()=?',
  '13579',
  '24680',
  '31415926535897932384626433',
  '27182818284590452353602874',
];
