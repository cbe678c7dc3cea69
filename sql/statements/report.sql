-- class: slow
-- params: days int4
-- /db/report: what was sold in the last days of the year, by region and product.
SELECT region, product, count(*) AS orders, sum(quantity) AS pieces,
       round(sum(cents) / 100.0, 2) AS revenue
  FROM orders
 WHERE day > (SELECT max(day) FROM orders) - $1
 GROUP BY region, product
 ORDER BY region, product
