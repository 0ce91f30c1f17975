-- A furniture dealer: what it sells, to whom, and what was ordered.
--
-- Everything is made in the first schema of search_path. The data set has one size, whatever `callslip.scale` says.

CREATE TABLE customer (
  id           integer       GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name         text          NOT NULL,
  credit_limit numeric(10,2) NOT NULL CHECK (credit_limit >= 0)
);

CREATE TABLE product (
  id          integer       GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name        text          NOT NULL UNIQUE,
  unit_price  numeric(10,2) NOT NULL CHECK (unit_price >= 0),
  tax_percent numeric(4,2)  NOT NULL CHECK (tax_percent BETWEEN 0 AND 100),
  stock       integer       NOT NULL CHECK (stock >= 0)
);

CREATE TABLE volume_discount (
  product_id    integer      REFERENCES product,
  from_quantity integer      CHECK (from_quantity > 1),
  percent       numeric(4,2) NOT NULL CHECK (percent BETWEEN 0 AND 100),
  PRIMARY KEY (product_id, from_quantity)
);

CREATE TABLE related_product (
  product_id     integer REFERENCES product,
  related_id     integer REFERENCES product,
  times_together integer NOT NULL CHECK (times_together > 0),
  PRIMARY KEY (product_id, related_id),
  CHECK (product_id <> related_id)
);

CREATE TABLE sales_order (
  id          bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  customer_id integer     NOT NULL REFERENCES customer,
  placed_at   timestamptz NOT NULL DEFAULT now(),
  shipped_at  timestamptz,
  paid_at     timestamptz
);

CREATE TABLE order_line (
  order_id         bigint        REFERENCES sales_order,
  product_id       integer       REFERENCES product,
  quantity         integer       NOT NULL CHECK (quantity > 0),
  unit_price       numeric(10,2) NOT NULL,
  discount_percent numeric(4,2)  NOT NULL,
  tax_percent      numeric(4,2)  NOT NULL,
  PRIMARY KEY (order_id, product_id)
);

-- What is not paid yet, and what is not shipped yet, is little beside what ever was.
CREATE INDEX ON sales_order (customer_id) WHERE paid_at IS NULL;
CREATE INDEX ON sales_order (id) WHERE shipped_at IS NULL;
CREATE INDEX ON order_line (product_id);

COMMENT ON TABLE related_product IS 'What is bought together; a nightly job writes it anew';
COMMENT ON TABLE order_line IS 'So many pieces of a product, at the price, discount and tax of the day on which they were ordered';
COMMENT ON COLUMN customer.credit_limit IS 'How much may be ordered and not yet paid, taxes included';
COMMENT ON COLUMN product.stock IS 'The pieces in the warehouse, those included that are ordered and not shipped yet';
COMMENT ON COLUMN volume_discount.from_quantity IS 'The discount is for so many pieces and more, up to the next one';
