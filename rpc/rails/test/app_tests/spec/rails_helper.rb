# frozen_string_literal: true

require_relative "../app"
require "rspec/rails"
