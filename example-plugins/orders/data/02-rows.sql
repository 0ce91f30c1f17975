-- A few rows of everything. The numbers of the rows are those of their lines, from 1.

INSERT INTO customer (name, credit_limit) VALUES
  ('Hilltop School',       20000.00),
  ('Café Zwischenraum',     1500.00),
  ('Ní Dhomhnaill & Sons', 50000.00),
  ('Blue Door Clinic',      8000.00);

INSERT INTO product (name, unit_price, tax_percent, stock) VALUES
  ('Oak desk',          420.00, 20.00, 12),
  ('Task chair',        189.90, 20.00, 40),
  ('Filing cabinet',    240.00, 20.00,  9),
  ('Reading lamp',       34.95, 20.00, 75),
  ('Cork board',         18.50, 20.00, 30),
  ('Bistro table',      129.00, 20.00,  6),
  ('Bistro chair',       59.00, 20.00, 24),
  ('Picture atlas',      24.90,  7.00, 15);

INSERT INTO volume_discount VALUES
  (1,  5,  5.00),
  (1, 10,  8.00),
  (2, 10,  7.50),
  (4, 20, 10.00),
  (7,  8,  5.00),
  (7, 16, 12.50);

INSERT INTO related_product VALUES
  (1, 2, 31), (2, 1, 31), (1, 4, 22), (4, 1, 22), (1, 3, 9), (3, 1, 9),
  (2, 4, 12), (4, 2, 12), (6, 7, 48), (7, 6, 48), (6, 4, 5), (4, 6, 5), (5, 8, 3), (8, 5, 3);

INSERT INTO sales_order (customer_id, placed_at, shipped_at, paid_at) VALUES
  (1, '2026-02-02 09:15+00', '2026-02-04 07:00+00', '2026-03-01 12:00+00'),
  (1, '2026-04-20 14:40+00', '2026-04-22 07:00+00', NULL),
  (2, '2026-05-05 08:05+00', NULL,                  NULL),
  (3, '2026-05-06 16:30+00', NULL,                  '2026-05-06 16:31+00'),
  (4, '2026-05-07 10:00+00', NULL,                  NULL);

INSERT INTO order_line VALUES
  (1, 1,  3, 410.00,  0.00, 20.00),
  (1, 4, 20,  34.95, 10.00, 20.00),
  (2, 2, 25, 189.90,  7.50, 20.00),
  (2, 8,  6,  24.90,  0.00,  7.00),
  (3, 6,  4, 129.00,  0.00, 20.00),
  (3, 7,  8,  59.00,  5.00, 20.00),
  (4, 3,  2, 240.00,  0.00, 20.00),
  (4, 2,  4, 189.90,  0.00, 20.00),
  (5, 5,  6,  18.50,  0.00, 20.00);

ANALYZE customer, product, volume_discount, related_product, sales_order, order_line;
