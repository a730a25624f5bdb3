# frozen_string_literal: true

class VersionsController < ApplicationController
  def show
    render json: { rails: Rails.version, ruby: RUBY_VERSION }
  end
end
