/* Numbers as they are typed, in every field of every form: as figures are shown ("1,000.50",
 * "−$12.30"), in groups of three ("2 500.00") or shortened ("12.5k").
 */
const SHAPE = /^([+-]?)(\$?) ?([\d.,' ]*[\d.]) ?([kKmM]?)$/;
const GROUPED = [/^(\d+\.?\d*|\.\d+)$/, /^[1-9]\d{0,2}(,\d{3})+(\.\d*)?$/, /^[1-9]\d{0,2}( \d{3})+(\.\d*)?$/];
const GAPS = /[\u00a0\u2007\u2009\u202f]/g;
const ZEROS = { k: 3, m: 6 };
/* What may stand with the digits: "m" of a quantity may be meant as a thousandth, and of minutes or
 * percent nothing is in dollars or in thousands. */
const KINDS = {
  money: { letters: "km", dollars: true },
  quantity: { letters: "k", dollars: false },
  plain: { letters: "", dollars: false },
};

export const isEmpty = (typed) => String(typed ?? "").trim() === "";

// as JSON writes it: a float would lose digits
function joined(sign, digits, zeros) {
  const [whole, decimals = ""] = digits.split(".");
  const moved = decimals.padEnd(zeros, "0");
  const ones = (whole + moved.slice(0, zeros)).replace(/^0+(?=\d)/, "") || "0";
  const rest = moved.slice(zeros);
  return (sign === "-" ? "-" : "") + ones + (rest && `.${rest}`);
}

/* The number that was typed, as JSON, or null and what is wrong with it: [JSON, words]. `kind` is what
 * the field is for: money (prices, too), a quantity, or something plain such as minutes. */
export function read(typed, kind = "money") {
  if (isEmpty(typed)) {
    return [null, "Enter a number, such as 1234.56."];
  }
  const { letters, dollars } = KINDS[kind];
  const text = String(typed ?? "").trim().replace(GAPS, " ").replace("\u2212", "-");
  const [, sign, dollar, digits, letter] = SHAPE.exec(text) ?? [];
  if (digits === undefined) {
    return [null, `${text} is no number: write it with digits and a point, such as 1234.56.`];
  }
  if (!GROUPED.some((shape) => shape.test(digits))) {
    return [
      null,
      `${text} can be read in more than one way: write decimals behind a point, such as 1234.56, and ` +
        "commas only between thousands, such as 1,234.56.",
    ];
  }
  if (dollar && !dollars) {
    return [null, `${text} is in dollars, which this field is not: write the number alone.`];
  }
  const short = letter.toLowerCase();
  if (short && !letters.includes(short)) {
    return [null, `${text} can be read in more than one way: write it in full, such as 1500 or 0.0015.`];
  }
  return [joined(sign, digits.replace(/[, ]/g, ""), ZEROS[short] ?? 0), ""];
}
