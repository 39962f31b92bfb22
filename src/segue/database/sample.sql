-- How invented customers are made. Every value is a function of the customer's number and the seed, so the same seed
-- makes the same data whatever the number of threads. Read by sample.py and churn.py; all macros are temporary.

-- UBIGINT: beside a signed number the remainder is taken in 128 bits, ten times slower (measured).
CREATE OR REPLACE TEMP MACRO dice(i, salt, sides) AS (hash(i, salt, getvariable('seed')) % sides::UBIGINT)::INTEGER;
CREATE OR REPLACE TEMP MACRO pick(choices, i, salt) AS choices[1 + dice(i, salt, len(choices))];
CREATE OR REPLACE TEMP MACRO digits(i, salt, width) AS lpad(dice(i, salt, (10 ** width)::INTEGER)::VARCHAR, width, '0');
-- A value for all but so many of a thousand customers.
CREATE OR REPLACE TEMP MACRO mostly(i, salt, missing, val) AS CASE WHEN dice(i, salt, 1000) >= missing THEN val END;

CREATE OR REPLACE TEMP MACRO given_names() AS [
    'Zoë', 'Łukasz', '雅美', 'Ana', 'Ben', 'Chloé', 'Dmitri', 'Eve', 'Fatima', 'Grace', 'Héctor', 'Ida', 'José', 'Kwame',
    'Li', 'Mary Ann', 'Noor', 'Olu', 'Priya', 'Quinn', 'Renée', 'Søren', 'Tom', 'Uma', 'Vera', 'Will', 'Xin', 'Yusuf'];
CREATE OR REPLACE TEMP MACRO surnames() AS [
    'O''Neill', 'Müller', '佐藤', 'Nowak', 'Smith', 'García', 'van der Berg', 'Okafor', 'Şahin', 'Ivanova', 'Kim', 'Lopes',
    'D''Angelo', 'Smith-Jones', 'Åberg', 'Nguyễn', 'Brown', 'Rossi', 'Dubois', 'Patel', 'Cohen', 'Haddad', 'Reyes'];
CREATE OR REPLACE TEMP MACRO companies() AS [
    '"Ace" Co', 'Blume & Söhne', 'Cedar Works', 'Dune\Sand', 'Echo Ltd', 'Fjord AS', 'Global, Inc.', '株式会社はな'];
CREATE OR REPLACE TEMP MACRO streets() AS [
    'Main St', 'Elm Ave', 'Rue de la Paix', 'Lindenstraße', 'High Street', 'Kings'' Road', 'Calle Mayor', 'Oak Dr'];
CREATE OR REPLACE TEMP MACRO products() AS [
    'Canvas tote', 'Linen shirt', 'Wool socks', 'Rain jacket', 'Trail shoes', 'Mug "Hello"', 'Café press', 'Tea, green',
    'Notebook A5', 'Desk lamp', 'Travel pillow', 'Sun hat'];
CREATE OR REPLACE TEMP MACRO domains() AS ['shop-mail.test', 'inbox.test', 'post-box.test', 'mail.north.test'];

-- Where a customer lives: mobile is the start of a number there, rest how many digits follow it, zip a pattern.
CREATE OR REPLACE TEMP MACRO places() AS [
    {city: 'New York', state: 'NY', country: 'US', zip: '100##', dial: '+1', mobile: '212', rest: 7, zone: 'America/New_York', lat: 40.71, lon: -74.01, locale: 'en-US'},
    {city: 'Boston', state: 'MA', country: 'US', zip: '021##', dial: '+1', mobile: '617', rest: 7, zone: 'America/New_York', lat: 42.36, lon: -71.06, locale: 'en-US'},
    {city: 'Seattle', state: 'WA', country: 'US', zip: '981##', dial: '+1', mobile: '206', rest: 7, zone: 'America/Los_Angeles', lat: 47.61, lon: -122.33, locale: 'en-US'},
    {city: 'Coeur d''Alene', state: 'ID', country: 'US', zip: '838##', dial: '+1', mobile: '208', rest: 7, zone: 'America/Los_Angeles', lat: 47.68, lon: -116.78, locale: 'en-US'},
    {city: 'Montréal', state: 'QC', country: 'CA', zip: 'H#A #B#', dial: '+1', mobile: '514', rest: 7, zone: 'America/Toronto', lat: 45.50, lon: -73.57, locale: 'fr-CA'},
    {city: 'London', state: NULL, country: 'GB', zip: 'SW# #AA', dial: '+44', mobile: '77', rest: 8, zone: 'Europe/London', lat: 51.51, lon: -0.13, locale: 'en-GB'},
    {city: 'Paris', state: NULL, country: 'FR', zip: '750##', dial: '+33', mobile: '6', rest: 8, zone: 'Europe/Paris', lat: 48.86, lon: 2.35, locale: 'fr-FR'},
    {city: 'München', state: 'BY', country: 'DE', zip: '80###', dial: '+49', mobile: '151', rest: 8, zone: 'Europe/Berlin', lat: 48.14, lon: 11.58, locale: 'de-DE'},
    {city: 'Kraków', state: NULL, country: 'PL', zip: '30-0##', dial: '+48', mobile: '60', rest: 7, zone: 'Europe/Warsaw', lat: 50.06, lon: 19.94, locale: 'pl-PL'},
    {city: '東京', state: NULL, country: 'JP', zip: '100-00##', dial: '+81', mobile: '90', rest: 8, zone: 'Asia/Tokyo', lat: 35.68, lon: 139.69, locale: 'ja-JP'}];

-- The address that a customer has when nothing is wrong with it; the number makes it unique.
CREATE OR REPLACE TEMP MACRO clean_email(i) AS concat(
    coalesce(nullif(regexp_replace(lower(strip_accents(pick(given_names(), i, 'given'))), '[^a-z]', '', 'g'), ''), 'guest'),
    '.', i, '@', pick(domains(), i, 'domain'));

-- 0.3 % missing, 0.2 % malformed, 0.2 % in capitals or with blanks around.
CREATE OR REPLACE TEMP MACRO flawed_email(i) AS CASE
    WHEN dice(i, 'flaw', 1000) < 3 THEN NULL
    WHEN dice(i, 'flaw', 1000) < 5 THEN
        pick([replace(clean_email(i), '@', ''), replace(clean_email(i), '@', '@@'), 'n/a', clean_email(i) || '..'], i, 'bad')
    WHEN dice(i, 'flaw', 1000) < 7 THEN
        pick([upper(clean_email(i)), '  ' || clean_email(i) || ' ', upper(clean_email(i)[1]) || clean_email(i)[2:]], i, 'odd')
    ELSE clean_email(i) END;

-- Numbers in North America have an exchange that starts with 2 to 9.
CREATE OR REPLACE TEMP MACRO subscriber(i, place) AS CASE
    WHEN place.dial = '+1' THEN (2 + dice(i, 'exchange', 8))::VARCHAR || digits(i, 'phone', place.rest - 1)
    ELSE digits(i, 'phone', place.rest) END;
-- 0.5 % garbage, 1 % as dialled inside the country, the others E.164.
CREATE OR REPLACE TEMP MACRO flawed_phone(i, place) AS CASE
    WHEN dice(i, 'phone flaw', 1000) < 5 THEN pick(['unknown', '123', '+0000', 'call me'], i, 'garbage')
    WHEN dice(i, 'phone flaw', 1000) < 15 THEN
        CASE WHEN place.dial = '+1' THEN '(' || place.mobile || ') ' ELSE '0' || place.mobile || ' ' END || subscriber(i, place)
    ELSE place.dial || place.mobile || subscriber(i, place) END;

-- n customers from number start on; flaws: whether some have bad emails and phones.
CREATE OR REPLACE TEMP MACRO people(start, n, flaws) AS TABLE
    SELECT
        md5(concat('person', getvariable('seed'), ':', i))::UUID::VARCHAR AS amperity_id,
        i AS customer_number,
        mostly(i, 'no given', 20, pick(given_names(), i, 'given')) AS given_name,
        mostly(i, 'no surname', 10, pick(surnames(), i, 'surname')) AS surname,
        CASE WHEN flaws THEN flawed_email(i) ELSE clean_email(i) END AS email,
        mostly(i, 'no phone', 150, CASE WHEN flaws THEN flawed_phone(i, place)
            ELSE place.dial || place.mobile || subscriber(i, place) END) AS phone,
        mostly(i, 'no address', 80, concat(1 + dice(i, 'house', 999), ' ', pick(streets(), i, 'street'))) AS address,
        mostly(i, 'no address2', 800, concat(pick(['Apt ', 'Suite ', 'Unit #'], i, 'unit'), 1 + dice(i, 'door', 90))) AS address2,
        mostly(i, 'no city', 30, place.city) AS city,
        mostly(i, 'no city', 30, place.state) AS state,
        mostly(i, 'no postal', 60, replace(replace(place.zip, '##', digits(i, 'zip', 2)), '#', dice(i, 'zip', 10)::VARCHAR)) AS postal,
        mostly(i, 'no country', 20, place.country) AS country,
        mostly(i, 'no company', 700, pick(companies(), i, 'company')) AS company,
        mostly(i, 'no title', 750, pick(['Dr', 'Head of "Ops"', 'Buyer', 'Ingénieur'], i, 'title')) AS title,
        mostly(i, 'no birthdate', 350, DATE '1940-01-01' + dice(i, 'birth', 24800)) AS birthdate,
        mostly(i, 'no gender', 400, pick(['F', 'M', 'X'], i, 'gender')) AS gender,
        mostly(i, 'no loyalty', 300, dice(i, 'points', 20000)) AS loyalty_points,
        mostly(i, 'no loyalty', 300, pick(['Bronze', 'Bronze', 'Bronze', 'Silver', 'Silver', 'Gold'], i, 'tier')) AS loyalty_tier,
        mostly(i, 'no consent', 100, dice(i, 'consent', 10) < 7) AS email_opt_in,
        mostly(i, 'no locale', 100, place.locale) AS locale,
        mostly(i, 'no city', 30, place.zone) AS timezone,
        mostly(i, 'no geo', 500, round(place.lat + dice(i, 'lat', 2000) / 10000.0, 4)::DOUBLE) AS latitude,
        mostly(i, 'no geo', 500, round(place.lon + dice(i, 'lon', 2000) / 10000.0, 4)::DOUBLE) AS longitude,
        TIMESTAMP '2019-01-01' + to_seconds(dice(i, 'since', 126230400)) AS created_at
    FROM (SELECT i, pick(places(), i, 'place') AS place FROM range(start, start + n) AS numbers(i));

-- The orders of those customers: none to six each, and one row in five hundred twice.
CREATE OR REPLACE TEMP MACRO orders(start, n) AS TABLE
    SELECT
        md5(concat('person', getvariable('seed'), ':', i))::UUID::VARCHAR AS amperity_id,
        concat('SO-', i, '-', k) AS order_id,
        TIMESTAMP '2023-01-01' + to_seconds(dice(i * 8 + k, 'time', 90720000)) AS order_datetime,
        mostly(i * 8 + k, 'no product', 20, pick(products(), i * 8 + k, 'product')) AS product,
        1 + dice(i * 8 + k, 'quantity', 4) AS quantity,
        ((500 + dice(i * 8 + k, 'price', 20000)) / 100.0)::DECIMAL(10, 2) AS order_revenue,
        mostly(i * 8 + k, 'no discount', 700, (dice(i * 8 + k, 'discount', 500) / 100.0)::DECIMAL(10, 2)) AS discount,
        pick(['web', 'web', 'store', 'app'], i * 8 + k, 'channel') AS channel,
        dice(i * 8 + k, 'returned', 100) < 4 AS is_return
    FROM (
        SELECT i, unnest(flatten([
            CASE WHEN dice(i * 8 + k, 'twice', 500) = 0 THEN [k, k] ELSE [k] END
            for k in range(dice(i, 'orders', 7))])) AS k
        FROM range(start, start + n) AS numbers(i));
