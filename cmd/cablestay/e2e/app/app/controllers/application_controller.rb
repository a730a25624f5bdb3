# frozen_string_literal: true

class ApplicationController < ActionController::Base
  skip_forgery_protection
  before_action { Current.text = "set by a request" }
end
